"""Folders as collections really have them: what is no picture is left out, counted and never opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.catalogs import jpeg, read
from tests.support.places import Place


def test_masters_are_read_and_what_is_left_out_is_counted_by_extension(place: Place) -> None:
    storage = Storage(place.root, place.config).at("scans")
    for name in ("a.jp2", "b.AVIF", "c.tif", "x.psd", "y.PSD", "z.xmp", "README", "._a.jpg"):
        storage.write_bytes(name, jpeg())
    endpoint = place.config.endpoint_url
    notes = Notes()
    config = load_config(
        None,
        [
            "catalog.reader=folder",
            f"catalog.source={storage.root}",
            *([f"storage.endpoint_url={endpoint}"] if endpoint else []),
        ],
    )
    assert catalog.read_catalog(config, notes)["artwork_id"].to_pylist() == ["a", "b", "c"]
    assert notes.summary() == [
        "left out: 2 .psd files (first: x.psd)",
        "left out: 1 files that macOS adds (._*) (first: ._a.jpg)",
        "left out: 1 files without an extension (first: README)",
        "left out: 1 .xmp files (first: z.xmp)",
    ]


@pytest.mark.timeout(60)
def test_pipes_and_broken_links_are_never_opened(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg())
    os.mkfifo(folder / "pipe.jpg")
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    notes = Notes()
    table = read(tmp_path, "catalog.reader=folder", f"catalog.source={folder}", notes=notes)
    assert table["artwork_id"].to_pylist() == ["a"]
    assert notes.left_out["of the kind “named pipe”"] == (1, "pipe.jpg")
    assert notes.left_out["of the kind “broken link”"] == (1, "broken.jpg")


def test_a_name_of_another_encoding_costs_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "Müller#1?.jpg").write_bytes(jpeg())
    Path(os.fsdecode(os.fsencode(folder) + "/Müller.jpg".encode("latin-1"))).write_bytes(jpeg())
    notes = Notes()
    table = read(tmp_path, "catalog.reader=folder", f"catalog.source={folder}", notes=notes)
    assert table["artwork_id"].to_pylist() == ["Müller#1?"]
    reason = "files whose names are no UTF-8 (rename them)"
    assert notes.summary() == [f"left out: 1 {reason} (first: M\\udcfcller.jpg)"]


def test_a_folder_without_images_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.psd").write_bytes(b"")
    with pytest.raises(CatalogError, match=r"there are 1 \.psd files"):
        read(tmp_path, "catalog.reader=folder", f"catalog.source={tmp_path}/scans")
