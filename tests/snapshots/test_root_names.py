"""A root is the same by whatever name it is reached: a link, a move, dots in its path."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simsearch.catalog.catalog import as_table
from simsearch.catalog.stored import load_catalog, write_catalog
from simsearch.errors import StorageError
from simsearch.snapshots.garbage import find_garbage, remove
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

PICTURES = "images/downloaded"


def by_its_own_name(root: Path) -> Path:
    return root


def by_a_link(root: Path) -> Path:
    link = root.parent / "link"
    link.symlink_to(root)
    return link


def through_a_linked_folder(root: Path) -> Path:
    (root.parent / "way").symlink_to(root.parent)
    return root.parent / "way" / root.name


def with_dots(root: Path) -> Path:
    return root / ".." / root.name


def after_a_move(root: Path) -> Path:
    return root.rename(root.parent / "moved = elsewhere #2")


NAMES = [by_its_own_name, by_a_link, through_a_linked_folder, with_dots, after_a_move]


def filled_root(folder: Path) -> Storage:
    """A root with a snapshot of three downloaded images, beside one that no catalog names; all old."""
    storage = Storage(str(folder))
    pictures = storage.uri(PICTURES)
    make_snapshot(storage, {"a": "1", "b": "2", "c": "3"}, pictures=pictures)
    for name in ("a", "b", "c", "unused"):
        storage.write_bytes(f"{PICTURES}/{name}.jpg", name.encode())
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))
    return storage


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.__name__)
def test_garbage_collection_leaves_the_images_of_a_root_that_is_reached_otherwise(
    tmp_path: Path, name: Callable[[Path], Path]
) -> None:
    filled_root(tmp_path / "root")
    storage = Storage(str(name(tmp_path / "root")))
    garbage = find_garbage(storage, keep=1, older_than=time.time())
    assert [file.path for file in garbage] == [f"{PICTURES}/unused.jpg"]
    remove(storage, garbage, lambda: None)
    table = load_catalog(storage, latest_snapshot(storage).plan().catalog_id).table
    for uri in table["image_uri"].to_pylist():
        assert Path(uri.removeprefix("file://")).exists()


def test_the_same_collection_has_the_same_catalog_under_each_name(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        storage = Storage(str(tmp_path / name))
        row = {"artwork_id": "a", "image_uri": storage.uri(f"{PICTURES}/a.jpg")}
        ids.add(write_catalog(storage, as_table([row])))
    assert len(ids) == 1


def test_garbage_collection_refuses_to_remove_all_files_of_a_kind(tmp_path: Path) -> None:
    storage = filled_root(tmp_path / "root")
    for name in ("a", "b", "c"):
        storage.delete(f"{PICTURES}/{name}.jpg")
    with pytest.raises(StorageError, match="no kept snapshot names one of them"):
        find_garbage(storage, keep=1, older_than=time.time())
    # Young files are not in danger, so nothing is refused.
    assert find_garbage(storage, keep=1, older_than=-1) == []
