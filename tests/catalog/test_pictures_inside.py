"""Parquet files that hold their pictures, as Hugging Face's data sets do, on disk and on S3."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.catalog import catalog
from simsearch.catalog.embedded import FOLDER
from simsearch.catalog.notes import Notes
from simsearch.catalog.stored import load_catalog
from simsearch.errors import CatalogError
from simsearch.runs.checks.check import check
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import Storage, read_uri
from tests.support.cases import case
from tests.support.catalogs import jpeg
from tests.support.odd_tables import put, read
from tests.support.places import Place

COLOURS = ["red", "green", "blue", "white", "black", "orange"]


def pictures(*cells: Any) -> pa.Array:
    """A column as Hugging Face writes one."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.array(cells, kind)


def embedded(colour: str | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": None if colour is None else jpeg(colour), "path": path}


def parquet(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def config_for(place: Place, source: str, *overrides: str) -> Config:
    endpoint = place.config.endpoint_url
    return load_config(
        None,
        [
            f"root={Storage(place.root).uri('root')}",
            "catalog.reader=table",
            f"catalog.source={Storage(place.root).uri(f'folder/{source}')}",
            *([f"storage.endpoint_url={endpoint}"] if endpoint else []),
            "extract.backbones=[squeezenet1_1]",
            "extract.weights=['random:0']",
            *overrides,
        ],
    )


def ingested(config: Config) -> dict[str, bytes]:
    """Each artwork's id with the bytes of its image, as a run reads them."""
    table = catalog.ingest(config).table
    rows = table.select(["artwork_id", "image_uri"]).to_pylist()
    return {row["artwork_id"]: read_uri(row["image_uri"], config.storage) for row in rows}


@pytest.mark.slow
def test_the_shared_case_runs_with_and_without_settings(tmp_path: Path) -> None:
    source = case("tables/pictures-inside.parquet")
    rows = {row["id"]: row["image"]["bytes"] for row in pq.read_table(source).to_pylist()}
    for columns in (
        "{}",
        "{artwork_id: id, image_uri: image}",
        "{artwork_id: id, image_uri: image.bytes}",
    ):
        settings = [f"root={tmp_path}/root", "catalog.reader=table", f"catalog.source={source}"]
        assert ingested(load_config(None, [*settings, f"catalog.columns={columns}"])) == rows


@pytest.mark.slow
def test_shards_are_one_collection_and_equal_pictures_are_stored_once(place: Place) -> None:
    storage = put(place, README__md=b"# paintings", dataset_info__json=b"{}")
    for shard in range(2):
        cells = [embedded(colour) for colour in COLOURS]
        table = pa.table({"image": pictures(*cells), "label": [0] * 6})
        storage.write_bytes(f"data/train-{shard}.parquet", parquet(table, row_group_size=4))
    config = config_for(place, "")
    expected = {f"train-{s}-{row}": jpeg(COLOURS[row]) for s in range(2) for row in range(6)}
    assert ingested(config) == expected
    root = Storage(config.root, config.storage)
    stored = {info.path: info.etag for info in root.files(FOLDER)}
    assert len(stored) == 6
    first = load_catalog(root).catalog_id
    assert ingested(config) == expected  # a second time nothing changes
    assert {info.path: info.etag for info in root.files(FOLDER)} == stored
    assert load_catalog(root).catalog_id == first
    pattern = config_for(place, "data/*-1.parquet")
    assert list(ingested(pattern)) == [f"train-1-{row}" for row in range(6)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "ids"),
    [
        ({"artwork_id": ["x", "y"], "id": ["p", "q"]}, ["x", "y"]),
        ({"id": [7, 8]}, ["7", "8"]),
        ({"id": [7, 7]}, ["a/1.jpg", "b/1.jpg"]),  # ids that occur twice are none
        ({}, ["a/1.jpg", "b/1.jpg"]),
    ],
)
def test_ids_come_from_a_column_or_the_path(
    place: Place, columns: dict[str, Any], ids: list[str]
) -> None:
    cells = pictures(embedded("red", "a/1.jpg"), embedded("blue", "b/1.jpg"))
    put(place, art__parquet=parquet(pa.table({"image": cells, **columns})))
    notes = Notes()
    assert read(place, "art.parquet", notes=notes)["artwork_id"].to_pylist() == ids
    assert any("the pictures are inside, in 'image'" in line for line in notes.lines)


@pytest.mark.slow
def test_a_row_without_a_picture_costs_itself_and_is_named(place: Place) -> None:
    cells = pictures(
        embedded("red"), None, embedded(None), {"bytes": b"", "path": None}, embedded(None, "b.jpg")
    )
    put(
        place,
        art__parquet=parquet(pa.table({"id": list("abcde"), "image": cells})),
        b__jpg=jpeg("blue"),
    )
    config = config_for(place, "art.parquet")
    notes = Notes()
    table = catalog.read_catalog(config, notes)
    assert table["artwork_id"].to_pylist() == ["a", "e"]
    assert notes.left_out["rows without an image"] == (3, "row 2, b")
    assert ingested(config) == {"a": jpeg("red"), "e": jpeg("blue")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "column",
    [
        pa.array([jpeg("red"), jpeg("blue")], pa.binary()),
        pa.array([jpeg("red"), jpeg("blue")], pa.large_binary()),
        pa.array([[embedded("red"), embedded("white")], [embedded("blue")]]),
        pa.array([{"data": jpeg("red")}, {"data": jpeg("blue")}]),
    ],
)
def test_bytes_and_lists_of_pictures_are_read_as_well(place: Place, column: pa.Array) -> None:
    put(place, art__parquet=parquet(pa.table({"id": ["1999.10", "b"], "picture": column})))
    config = config_for(place, "art.parquet")
    assert ingested(config) == {"1999.10": jpeg("red"), "b": jpeg("blue")}


@pytest.mark.slow
def test_labels_have_their_names(place: Place) -> None:
    names = ["Vermeer", "Klimt"]
    features = {"info": {"features": {"artists": {"names": names, "_type": "ClassLabel"}}}}
    table = pa.table({"image": pictures(embedded("red"), embedded("blue")), "artists": [1, 0]})
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    put(place, art__parquet=parquet(table))
    assert read(place, "art.parquet")["artists"].to_pylist() == [["Klimt"], ["Vermeer"]]


@pytest.mark.slow
def test_sound_is_no_picture_and_no_message_holds_bytes(place: Place, caplog: Any) -> None:
    sound = pictures({"bytes": b"RIFF\xff\xfe\x00\x00WAVE" * 999, "path": None})
    two = pa.table(
        {"id": ["a"], "image": pictures(embedded("red")), "back": pictures(embedded("red"))}
    )
    put(
        place,
        sound__parquet=parquet(pa.table({"id": ["a"], "audio": sound})),
        two__parquet=parquet(two),
    )
    with pytest.raises(
        CatalogError, match="which column is the artwork_id and the image_uri"
    ) as raised:
        read(place, "sound.parquet")
    assert len(str(raised.value)) < 600
    with pytest.raises(CatalogError, match="which column of pictures is the image_uri"):
        read(place, "two.parquet")
    config = config_for(place, "two.parquet", "catalog.columns={image_uri: back}")
    with caplog.at_level(logging.INFO):
        assert ingested(config) == {"a": jpeg("red")}
    assert all(len(message) < 600 and "\\x" not in message for message in caplog.messages)


@pytest.mark.slow
def test_check_decodes_pictures_inside_and_leaves_nothing_behind(place: Place) -> None:
    cells = [embedded(colour) for colour in COLOURS]
    cells.append({"bytes": b"not a picture", "path": None})
    table = pa.table({"id": list("abcdefg"), "image": pictures(*cells)})
    put(place, art__parquet=parquet(table, row_group_size=3))
    config = config_for(place, "art.parquet", "extract.max_reject_share=0.5")
    checked = check(config)
    statements = " | ".join(f"{f.subject}: {f.statement}" for f in checked.lines)
    assert "catalog: 7 artworks" in statements
    assert "pictures: 6 of 7 tried can be read: 8 to 8 × 8 to 8 pixels" in statements
    assert Storage(config.root, config.storage).files() == []


@pytest.mark.slow
def test_no_row_group_is_loaded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MB of pictures in one row group are read with less than half of that in memory."""
    noise = [jpeg() + bytes([number]) * 2**20 for number in range(64)]
    cells = pictures(*({"bytes": data, "path": None} for data in noise))
    table = pa.table({"id": [str(number) for number in range(64)], "image": cells})
    folder = tmp_path / "folder"
    folder.mkdir()
    pq.write_table(table, folder / "art.parquet", compression="none", use_dictionary=False)
    del cells, table, noise
    before = pa.total_allocated_bytes()
    peaks = []
    written = Storage.write_bytes

    def write(self: Storage, path: str, data: bytes) -> None:
        peaks.append(pa.total_allocated_bytes() - before)
        written(self, path, data)

    monkeypatch.setattr(Storage, "write_bytes", write)
    config = config_for(Place(str(tmp_path), Storage("/").config), "art.parquet")
    rows = catalog.ingest(config).table
    assert rows["etag"].null_count == 0
    assert len(peaks) > 64
    assert max(peaks) < 32 * 2**20
