"""Whatever a table holds, reading it ends with artworks, with named reasons, or with an error of ours."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.errors import ConfigError, SimsearchError
from simsearch.settings.config import Config, load_config
from tests.support.catalogs import jpeg

ODD_ADDRESSES = [
    "http://[x/a.jpg", "http://x.test:99999/a.jpg", "http://x.test:port/a.jpg", "http://" + "a" * 64 + ".test/a.jpg",
    "http://.test/a.jpg", "http:///a.jpg", "http://", "https://u:p@/a.jpg", "http://x.test/a\u0000.jpg", "http://\u2100.test",
    "ftp://x.test/a.jpg", "gopher://x", "x-y:z", "file://~nouser/a.jpg", "file://", "file:///a\u0000/b.jpg", "../art.csv", "x/../../a.jpg", "..", "file:///", "~nouser/a.jpg", "s3://", "s3:///a",
    "a\u0000.jpg", "../a.jpg", "../../../../etc/passwd", "/etc/passwd", "a" * 300, "C:\\a.jpg", "data:image/png;base64,AA", "//x.test/a.jpg",
    "parquet+file:///x#y/1", "parquet+x", "1e999", "NaN", "\ud800", "a.jpg|b.jpg;", "|", " ", "?", "#", "%", "%zz.jpg", "*.jpg", "[a].jpg",
    "s3://bucket/%00", "s3://BUCKET_/a?versionId=", "http://127.0.0.1:0/a.jpg", "http://x.test/" + "a" * 3000, "\u202ea.jpg",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(
        [address for address in ODD_ADDRESSES if "s3:" not in address]
    ),  # S3's are slow
    st.text(max_size=12),
    st.text('";,|\t\r\n\\ a1.\ufeff', max_size=12),
    st.sampled_from(["a.jpg", "1999.10", "=1+1", "null"]),
)
CELLS = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NOT_THERE = "images named that are not there"  # these rows stay artworks
NOWHERE = "storage={endpoint_url: 'http://127.0.0.1:1', attempts: 1, timeout: 1}"
COLUMNS = ("image_uri", "title", "artists", "date", "url")


@contextmanager
def table(name: str, data: bytes, *overrides: str) -> Iterator[Config]:
    """Settings that read a table of these bytes; beside it lies a.jpg."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        (Path(folder) / "a.jpg").write_bytes(jpeg())
        words = [
            NOWHERE,
            f"root={folder}/root",
            "catalog.reader=table",
            f"catalog.source={folder}/{name}",
        ]
        yield load_config(None, [*words, *overrides])


def read(name: str, data: bytes, *overrides: str) -> tuple[int, int] | None:
    """How many artworks and left-out rows a table has; None where it is refused as a whole."""
    notes = Notes()
    with table(name, data, *overrides) as config:
        try:
            artworks = catalog.read_catalog(config, notes)
            catalog.ingest(config)
        except SimsearchError:
            return None
    lost = {reason: n for reason, (n, _) in notes.left_out.items() if reason != NOT_THERE}
    return artworks.num_rows, sum(lost.values())


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(*[CELLS] * len(COLUMNS)), min_size=1, max_size=5))
def test_any_cells_of_csv(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["artwork_id", *COLUMNS])
    writer.writerow(["right", "a.jpg", *["x"] * (len(COLUMNS) - 1)])
    writer.writerows([[f"id{number}", *row] for number, row in enumerate(rows)])
    counted = read("art.csv", text.getvalue().encode())
    assert counted is not None
    assert sum(counted) == len(rows) + 1


@pytest.mark.slow
@settings(max_examples=30)
@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes(data: bytes) -> None:
    read("art.csv", b"artwork_id,image_uri\nright,a.jpg\n" + data)
    read("art.csv", data)
    read("art.json", b'[{"artwork_id": 1, "image_uri": "a.jpg"}, ' + data)


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS) | TEXTS, VALUES, max_size=5), max_size=5))
@settings(max_examples=40)
def test_any_values_of_json(records: list[dict[str, Any]]) -> None:
    rows = [{**record, "artwork_id": f"id{number}"} for number, record in enumerate(records)]
    rows.append({"artwork_id": "right", "image_uri": "a.jpg", "title": "x", "date": {"a": 1}})
    counted = read("art.json", json.dumps(rows).encode())
    assert counted is not None
    assert sum(counted) == len(rows)
    paths = "catalog.columns={image_uri: ['image_uri[0]', 'image_uri[].url', image_uri], title: '{title}-{date.a}', artwork_id: artwork_id}"
    mapped = read("art.json", json.dumps(rows).encode(), paths)
    assert mapped is not None
    assert sum(mapped) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("address", ODD_ADDRESSES)
def test_an_odd_address_costs_its_row(address: str) -> None:
    rows = [
        {"artwork_id": "odd", "image_uri": address},
        {"artwork_id": "right", "image_uri": "a.jpg"},
    ]
    counted = read(
        "art.json",
        json.dumps(rows).encode(),
        "catalog.download={enabled: true, attempts: 1, timeout: 0.3, robots: false}",
    )
    assert counted is not None
    assert sum(counted) == 2


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_any_values_of_parquet(rows: list[tuple[Any, Any]]) -> None:
    try:
        columns = [pa.array(list(column)) for column in zip(*rows, strict=True)]
    except (pa.ArrowException, UnicodeError, OverflowError):
        return  # Arrow holds no such column
    ids = pa.array([f"id{number}" for number in range(len(rows))])
    buffer = io.BytesIO()
    try:
        pq.write_table(
            pa.table([ids, *columns], names=["artwork_id", "image_uri", "title"]), buffer
        )
    except pa.ArrowException:
        return
    read("art.parquet", buffer.getvalue())


def test_deep_json_is_one_line_or_one_row() -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    assert read("art.json", deep) is None
    lines = (
        b'{"artwork_id": "1", "image_uri": "a.jpg"}\n{"artwork_id": "2", "title": '
        + deep
        + b"}\n"
        + b'{"artwork_id": "3", "image_uri": "a.jpg"}\n'
    )
    assert read("art.jsonl", lines) == (2, 1)


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "ü", "\0", "", ", "])
def test_a_delimiter_that_can_separate_nothing_is_refused(delimiter: str) -> None:
    with pytest.raises(ConfigError, match=r"catalog\.delimiter: "):
        load_config(None, [f"catalog.delimiter={json.dumps(delimiter)}"])


@pytest.mark.parametrize("delimiter", ["\\", " ", "^", "\t"])
def test_any_other_delimiter_separates(delimiter: str) -> None:
    text = delimiter.join(["ID", "IMG"]) + "\n" + delimiter.join(["1", "x"])
    columns = "catalog.columns={artwork_id: ID, image_uri: IMG}"
    setting = f"catalog.delimiter={json.dumps(delimiter)}"
    assert read("art.csv", text.encode(), columns, setting) is None  # x is not there
    assert read("art.csv", f"{text}\n2{delimiter}http://x.test/".encode(), columns, setting) == (
        2,
        0,
    )
