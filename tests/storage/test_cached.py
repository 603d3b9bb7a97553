"""The cache of large files: bounded, whole or absent, and never another file than its digest says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simsearch.errors import MismatchError, StorageError
from simsearch.storage import cached as cache
from simsearch.storage.storage import Storage
from tests.support.places import Place


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "simsearch" / "files"


def writing(count: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(b"x" * count)

    return write


def test_the_least_recently_used_files_make_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CACHE_BYTES", 250)
    for place, name in enumerate(("first", "second")):
        path = cache.cache_file(name, writing(100))
        os.utime(path, (place, place))
    assert cache.cache_file("first", lambda _: pytest.fail("made again")) == folder / "first"
    cache.cache_file("third", writing(100))
    assert {path.name for path in folder.iterdir()} == {"first", "third"}
    cache.cache_file("large", writing(1000))
    assert {path.name for path in folder.iterdir()} == {"large"}


def test_a_file_that_could_not_be_made_is_not_there(folder: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise MismatchError("no")

    with pytest.raises(MismatchError):
        cache.cache_file("half", fail)
    assert list(folder.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_bytes(b"a file")
    with pytest.raises(StorageError, match="cannot write: a file is where a folder should be"):
        cache.cache_file("name", lambda _: None)


def test_a_remote_file_is_fetched_once_and_checked(s3_place: Place, folder: Path) -> None:
    storage = Storage(s3_place.root, s3_place.config)
    storage.write_bytes("vectors", b"whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    path = cache.local_file(storage, "vectors", digest, verify=False)
    assert (path, path.read_bytes()) == (folder / digest, b"whole")
    storage.write_bytes("vectors", b"other")
    assert cache.local_file(storage, "vectors", digest, verify=True).read_bytes() == b"whole"
    path.write_bytes(b"damaged")
    with pytest.raises(MismatchError, match="vectors: not the file of its manifest"):
        cache.local_file(storage, "vectors", digest, verify=True)
    storage.write_bytes("vectors", b"whole")
    assert cache.local_file(storage, "vectors", digest, verify=True).read_bytes() == b"whole"
