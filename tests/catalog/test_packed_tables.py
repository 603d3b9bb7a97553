"""Tables as they are packed, and numbers and texts of JSON and Parquet as they were written."""

from __future__ import annotations

import bz2
import datetime as dt
import decimal
import gzip
import io
import json
import lzma
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, orc

from simsearch.catalog import unpacking
from simsearch.catalog.json_records import json_records
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from simsearch.runs.checks.check import check
from tests.support.catalogs import read
from tests.support.small_runs import config_for

TABLE = b"artwork_id,image_uri\n1999.10,http://x.test/a.jpg\n00123,http://x.test/b.jpg\n"


def zstandard(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    packed: bytes = out.getvalue().to_pybytes()
    return packed


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def ids_of(folder: Path, data: bytes, *overrides: str, notes: Notes | None = None) -> list[str]:
    (folder / "art.data").write_bytes(data)
    source = f"catalog.source={folder}/art.data"
    ids: list[str] = read(folder, "catalog.reader=table", source, *overrides, notes=notes)[
        "artwork_id"
    ].to_pylist()
    return ids


PACKERS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zstandard,
    lambda data: zipped(("__MACOSX/._art.csv", b"x"), ("folder/", b""), ("folder/art.csv", data)),
    lambda data: gzip.compress(data[:30]) + gzip.compress(data[30:]),  # as gzip's `cat` joins
    lambda data: zstandard(data[:30]) + zstandard(data[30:]),
    lambda data: zipped(("art.csv.gz", gzip.compress(data))),
]


@pytest.mark.parametrize("pack", PACKERS)
def test_a_packed_table_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert ids_of(tmp_path, pack(TABLE)) == ["00123", "1999.10"]


@pytest.mark.parametrize("pack", PACKERS[:4])
def test_a_packed_table_that_is_cut_off_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(CatalogError, match=r"broken .* file"):
        ids_of(tmp_path, pack(TABLE)[:-5])


@pytest.mark.parametrize("pack", PACKERS[:5])
def test_a_table_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED", 2**21)
    with pytest.raises(CatalogError, match="unpacks to more than"):
        ids_of(tmp_path, pack(TABLE + b"\n" * 2**22))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            zipped(("a.csv", TABLE), ("b.csv", TABLE)),
            r"a zip archive of 2 files \(a\.csv, b\.csv\)",
        ),
        (zipped(), r"a zip archive of 0 files \(none\)"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "a 7-Zip archive"),
        (bytes(257) + b"ustar" + bytes(250), "a tar archive"),
        (b'\x04"M\x18' + TABLE, "a LZ4 archive"),
    ],
)
def test_an_archive_of_several_files_is_called_by_its_name(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        ids_of(tmp_path, data)


def of_arrow(write: Callable[[pa.Table, io.BytesIO], Any]) -> bytes:
    buffer = io.BytesIO()
    write(pa.table({"artwork_id": ["1"], "image_uri": ["http://x/a.jpg"]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (of_arrow(feather.write_feather), r"an Arrow \(Feather\) file"),
        (b"FEA1" + bytes(99) + b"FEA1", "a Feather file"),
        (of_arrow(orc.write_table), "an ORC file"),
        (b"SQLite format 3\x00" + bytes(99), "a SQLite database"),
        (b"<lido:lidoWrap xmlns:lido='x'/>", "a web page or XML"),
        ("<?xml version='1.0'?><a/>".encode("utf-16"), "a web page or XML"),
        (b'{"artwork_id": {"0": "1", "1": "2"}, "image_uri": {"0": "a", "1": "b"}}', "rows are no list"),
        (b'{"artwork_id": ["1", "2"], "image_uri": ["a.jpg", "b.jpg"]}', "rows are no list"),
    ],
)  # fmt: skip
def test_a_table_of_another_kind_is_called_by_its_name(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        ids_of(tmp_path, data)


def test_a_column_that_begins_as_another_kind_of_file_is_a_column(tmp_path: Path) -> None:
    assert ids_of(tmp_path, b"ORCID,artwork_id,image_uri\n0,1,http://x/a.jpg\n") == ["1"]


def test_zstandard_may_begin_with_a_frame_to_skip(tmp_path: Path) -> None:
    skipped = b"\x5a\x2a\x4d\x18\x02\0\0\0ab"
    assert ids_of(tmp_path, skipped + zstandard(TABLE)) == ["00123", "1999.10"]


def test_a_day_long_ago_in_96_bits_is_that_day(tmp_path: Path) -> None:
    days = pa.array([dt.datetime(1650, 1, 2), dt.datetime(1850, 1, 2)])
    table = pa.table({"artwork_id": ["0", "1"], "image_uri": ["http://x/a"] * 2, "date": days})
    pq.write_table(table, tmp_path / "art.parquet", use_deprecated_int96_timestamps=True)
    rows = read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.parquet")
    assert rows["date"].to_pylist() == ["1650-01-02", "1850-01-02"]


def test_numbers_in_json_stay_as_they_are_written(tmp_path: Path) -> None:
    written = ["1999.10", "1999.1", "12", "3.0", "1e5", "12345678901234567890123"]
    rows = ",".join(
        f'{{"artwork_id": {number}, "image_uri": "http://x/a.jpg"}}' for number in written
    )
    assert sorted(ids_of(tmp_path, f"[{rows}]".encode())) == sorted(written)
    lines = rows.replace("},{", "}\n{")
    assert sorted(ids_of(tmp_path, lines.encode())) == sorted(written)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=5))
def test_json_lines_hold_any_character(end: str, titles: list[str]) -> None:
    """Against the json module, which writes each text raw but for what JSON forbids."""
    rows = [{"id": str(number), "title": title} for number, title in enumerate(titles)]
    text = end.join(json.dumps(row, ensure_ascii=False) for row in rows) + end
    assert json_records("art.jsonl", text, Notes()) == (rows, None)


def test_raw_control_characters_in_json_lines_are_read() -> None:
    titles = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\t"]
    text = "\n".join(f'{{"id": "{n}", "title": "a{title}b"}}' for n, title in enumerate(titles))
    rows, _ = json_records("art.jsonl", text, Notes())
    assert [row["title"] for row in rows] == [f"a{title}b" for title in titles]


def test_a_broken_line_of_json_costs_itself_and_is_named() -> None:
    notes = Notes()
    text = '{"id": "1"}\n\n{"id": "2"\n{"id": "3", "id": "4"}\n{"id": "5"}\n'
    rows, places = json_records("art.jsonl", text, notes)
    assert [row["id"] for row in rows] == ["1", "4", "5"]
    assert places == ["line 1", "line 4", "line 5"]
    assert notes.left_out == {"lines that are no JSON object": (1, "line 3")}
    assert any("1 objects have a key twice" in line and "'id'" in line for line in notes.lines)


COLUMNS: list[tuple[pa.Array, list[str | None]]] = [
    (pa.array([b"a1", "é".encode()]), ["a1", "é"]),
    (pa.array([b"a1", b"a2"], pa.large_binary()), ["a1", "a2"]),
    (pa.array([b"a1", b"a2"]).dictionary_encode(), ["a1", "a2"]),
    (pa.array(["a1", "a2"], pa.large_string()), ["a1", "a2"]),
    (pa.array([b"a1", b"a2"], pa.binary(2)), ["a1", "a2"]),
    (pa.array([b"\xff\x01", b"\x00\x02"], pa.binary(2)), ["ff01", "0002"]),
    (pa.array([uuid.UUID(int=1).bytes, uuid.UUID(int=2).bytes], pa.uuid()), [str(uuid.UUID(int=1)), str(uuid.UUID(int=2))]),
    (pa.array([decimal.Decimal("1999.10"), decimal.Decimal("0.50")]), ["1999.10", "0.50"]),
    (pa.array([1999.1, 2.0], pa.float32()), ["1999.1", "2"]),
    (pa.array([2**64 - 1, 7], pa.uint64()), ["18446744073709551615", "7"]),
    (pa.array([True, False]), ["true", "false"]),
    (pa.array([dt.datetime(1884, 5, 1), dt.datetime(1, 1, 1)], pa.timestamp("us")), ["1884-05-01", "0001-01-01"]),
    (pa.array([dt.datetime(1884, 5, 1, 7, 30), None], pa.timestamp("ns")), ["1884-05-01 07:30:00", None]),
    (pa.array([-800_000, 0], pa.int32()).cast(pa.date32()), [str(np.datetime64(-800_000, "D")).replace("-221", "-0221"), "1970-01-01"]),
]  # fmt: skip


@pytest.mark.parametrize(("column", "texts"), COLUMNS)
def test_parquet_of_any_type_reads_as_it_was_written(
    tmp_path: Path, column: pa.Array, texts: list[str | None]
) -> None:
    table = pa.table({"artwork_id": ["0", "1"], "image_uri": ["http://x/a"] * 2, "title": column})
    pq.write_table(table, tmp_path / "art.parquet")
    source = f"catalog.source={tmp_path}/art.parquet"
    titles = read(tmp_path, "catalog.reader=table", source)["title"].to_pylist()
    assert titles == texts


def test_bytes_that_are_no_text_cost_their_cell_and_are_named(tmp_path: Path) -> None:
    table = pa.table({"artwork_id": [b"a", b"\xff\xfe", b"c"], "image_uri": ["http://x/a"] * 3})
    pq.write_table(table, tmp_path / "art.data")
    notes = Notes()
    assert ids_of(tmp_path, (tmp_path / "art.data").read_bytes(), notes=notes) == ["a", "c"]
    assert notes.left_out["rows without an id"] == (1, "row 2")
    (line,) = [line for line in notes.lines if "UTF-8" in line]
    assert "column 'artwork_id' has 1 cells of bytes that are no UTF-8 text" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ('1,"A,b.jpg\n2,B,b.jpg\n', "line 2 opens a quote that no later line closes"),
        ('1,"A\nB",b.jpg\n', "1 rows have a cell that spans lines (first: lines 2 to 3)"),
        ("1,A\n2,B,b.jpg\n", "left out: 1 rows with too few or too many cells (first: row 1"),
    ],
)
def test_check_says_before_a_run_what_a_table_holds(
    tmp_path: Path, text: str, statement: str
) -> None:
    (tmp_path / "art.csv").write_text(f"artwork_id,title,image_uri\n{text}")
    (tmp_path / "b.jpg").write_bytes(b"")
    table = ["catalog.reader=table", f"catalog.source={tmp_path}/art.csv"]
    checked = check(config_for(f"{tmp_path}/root", *table))
    assert any(statement in line.statement for line in checked.lines if line.subject == "catalog")
