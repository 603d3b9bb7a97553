"""A collection's kind is found by what is there; what is none is named in one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.catalog.recognition import recognise
from simsearch.errors import UsageError
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.catalogs import jpeg, read
from tests.support.iiif_server import IiifServer
from tests.support.places import Place

CATALOG = load_config(None, ["catalog.download.private_networks=true"]).catalog


def test_a_folder_a_table_and_shards_are_told_apart(place: Place) -> None:
    storage = Storage(place.root, place.config)
    storage.write_bytes("scans/a/1.jpg", jpeg())
    storage.write_bytes("scans/list.csv", b"artwork_id,image_uri\n1,a/1.jpg\n")
    storage.write_bytes("shards/1.parquet", parquet())
    for path, reader in (("scans", "folder"), ("scans/list.csv", "table"), ("shards", "table")):
        assert recognise(storage.uri(path), CATALOG, place.config).reader == reader
    (remark,) = recognise(storage.uri("scans"), CATALOG, place.config).remarks
    assert remark.endswith("/scans/list.csv")


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"artwork_id": ["1"], "image_uri": ["1.jpg"]}), sink)
    return bytes(sink.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize("version", [2, 3])
def test_a_iiif_document_is_known_by_its_content(version: int, tmp_path: Path) -> None:
    with IiifServer(images=1, pages=1, version=version).running() as server:
        for address in (server.collection, f"{server.base}/m/0/manifest.json"):
            assert recognise(address, CATALOG, Storage("/").config).reader == "iiif"
        stored = tmp_path / "data.txt"
        stored.write_text(json.dumps(server.document("/m/0/manifest.json")))
        with pytest.raises(UsageError, match="no IIIF manifest or collection"):
            recognise(f"{server.base}/image/0/info.json", CATALOG, Storage("/").config)
    assert recognise(str(stored), CATALOG, Storage("/").config).reader == "iiif"


@pytest.mark.slow
def test_a_tables_columns_are_found_by_their_names(tmp_path: Path) -> None:
    table = tmp_path / "art.csv"
    table.write_text("Inventory Number,Titel,Bild\n1,View,1.jpg\n")
    columns = recognise(str(table), CATALOG, Storage("/").config).columns
    assert columns == {"artwork_id": "Inventory Number", "title": "Titel", "image_uri": "Bild"}


def make(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").touch()
    (folder / "picture.csv").write_bytes(jpeg())
    (folder / "strange.bin").write_bytes(b"\x00\x01\x02" * 50)
    (folder / "list.csv").write_text("colour,size\nred,3\n")
    os.mkfifo(folder / "pipe")
    (folder / "root").mkdir()
    (folder / "root" / "simsearch.json").write_text("{}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "nothing is there"),
        ("empty", "an empty folder"),
        ("texts", r"no image files in this folder \(1 \.txt files\)"),
        ("picture.csv", r"a picture \(JPEG\), not a collection"),
        ("strange.bin", "strange.bin"),
        ("list.csv", "which column is the artwork_id and the image_uri"),
        ("pipe", "a named pipe, not a collection"),
        ("root", "a simsearch root, not a collection"),
    ],
)
def test_what_is_no_collection_is_one_line(name: str, message: str, tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(UsageError, match=message) as raised:
        recognise(str(tmp_path / name), CATALOG, Storage("/").config)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_root_below_a_folder_is_not_read_as_images(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    for name in ("a.jpg", "a-simsearch/thumbnails/t.jpg", "a-simsearch/simsearch.json"):
        (scans / name).parent.mkdir(parents=True, exist_ok=True)
        (scans / name).write_bytes(jpeg())
    table = read(tmp_path, "catalog.reader=folder", f"catalog.source={scans}")
    assert table["artwork_id"].to_pylist() == ["a"]
