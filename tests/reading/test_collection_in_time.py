"""A collection whose files are damaged, repaired or removed while it is read, and texts of strangers in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import simsearch
from simsearch.errors import (
    ConfigError,
    DamagedError,
    GoneError,
    MismatchError,
    NotFoundError,
    StorageError,
)
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.cached import map_array
from simsearch.storage.storage import Storage
from tests.support.given_snapshots import publish_vectors
from tests.support.spaces import SPACE

IDS = ["a", "b", "c", "d", "e"]
VECTORS = np.eye(len(IDS), SPACE.dimension, dtype=np.float32)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/simsearch/files"


@pytest.fixture
def snapshot(tmp_path: Path, cache: Path) -> Snapshot:
    """A snapshot whose originals lie at unequal intervals, so that their vectors are copied."""
    return publish_vectors(Storage(str(tmp_path / "root")), IDS, VECTORS, copied=["b"])


def vectors_of(snapshot: Snapshot) -> np.ndarray:
    return np.array(simsearch.open(snapshot.storage.root).space("test").vectors)


def file_of(snapshot: Snapshot, name: str) -> Path:
    return Path(snapshot.storage.root.removeprefix("file://")) / snapshot.folder / name


def test_rows_of_a_damaged_file_do_not_stay_in_the_cache(snapshot: Snapshot) -> None:
    path = file_of(snapshot, "indexes/test/vectors.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(len(whole) - 200))
    with pytest.raises(MismatchError, match=r"vectors\.npy: not the file of its manifest"):
        vectors_of(snapshot)
    path.write_bytes(whole)
    assert (vectors_of(snapshot) == VECTORS).all()


@pytest.mark.parametrize("damaged", [b"", b"x" * 700, None])
def test_a_damaged_copy_in_the_cache_is_made_anew(
    snapshot: Snapshot, cache: Path, damaged: bytes | None
) -> None:
    vectors_of(snapshot)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-4] if damaged is None else damaged)
    assert (vectors_of(snapshot) == VECTORS).all()


def test_a_folder_in_a_files_place_is_no_file(snapshot: Snapshot) -> None:
    path = file_of(snapshot, "indexes/test/vectors.npy")
    path.unlink()
    path.mkdir()
    with pytest.raises(NotFoundError, match=r"vectors\.npy: nothing there"):
        vectors_of(snapshot)


@pytest.mark.slow
def test_a_header_with_one_wrong_bit_is_no_array(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, VECTORS)
    whole = path.read_bytes()
    for bit in range(8 * whole.index(b"\n")):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        map_array(path, np.float32, VECTORS.shape)  # raises nothing


def test_a_snapshot_that_is_removed_while_it_is_open_is_named(snapshot: Snapshot) -> None:
    collection = simsearch.open(snapshot.storage.root)
    created = collection.created
    shutil.rmtree(file_of(snapshot, ""))
    removed = f"{snapshot.snapshot_id}: the snapshot was removed; open the collection again"
    for ask in (
        lambda: collection.space("test").vectors,
        lambda: collection.space("test").neighbours("a"),
        lambda: collection.artwork("broken"),
        lambda: collection.metrics,
    ):
        with pytest.raises(GoneError, match=removed):
            ask()
    assert collection.created == created
    assert snapshot.snapshot_id in repr(collection)
    assert len(collection.artworks) == len(IDS)


@pytest.mark.parametrize("marker", [b"null", b"[]", b"3", b"{", b"[" * 100_000])
def test_a_damaged_marker_is_mended_as_its_error_says(snapshot: Snapshot, marker: bytes) -> None:
    path = file_of(snapshot, "../../simsearch.json")
    path.write_bytes(marker)
    with pytest.raises(
        DamagedError, match=r'simsearch\.json: not .*; write \{"format": 3\} into it'
    ):
        vectors_of(snapshot)
    path.write_text('{"format": 3}')
    assert len(vectors_of(snapshot)) == len(IDS)


def test_what_is_shown_of_a_collection_obeys_no_strangers_text(tmp_path: Path, cache: Path) -> None:
    ids = ["\x1b[2J", "\u202eb", "x\ny", "z" * 5000]
    root = str(tmp_path / "root")
    publish_vectors(Storage(root), ids, VECTORS[:4], titles=ids)
    collection = simsearch.open(root)
    shown = [collection.artworks, collection.space("test").neighbours(ids[1]), *collection.artworks]
    for value in shown:
        assert repr(value).isprintable()
        assert len(repr(value)) < 1000


@pytest.mark.parametrize("overrides", ["storage.attempts=2", [3], [None]])
def test_overrides_are_a_list_of_texts(snapshot: Snapshot, overrides: object) -> None:
    with pytest.raises(ConfigError, match=r"overrides are a list|an override is written key=value"):
        simsearch.open(snapshot.storage.root, overrides)  # type: ignore[arg-type]


def test_a_file_that_must_not_be_read_is_named(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **settings: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("numpy.lib.format.open_memmap", refuse)
    with pytest.raises(StorageError, match=r"vectors\.npy: cannot read: permission denied"):
        vectors_of(snapshot)
