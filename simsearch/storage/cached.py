"""Large files on this machine: a local root's files where they lie, a remote root's as copies in a
bounded cache."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.errors import MismatchError, NotFoundError
from simsearch.storage.failures import _errors
from simsearch.storage.filesystems import TEMPORARY, _replacing
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path

# All cached files together: room for ten spaces of 50,000 artworks with five copies each, whose vectors
# have 2,048 numbers.
CACHE_BYTES = 24 * 2**30
ABANDONED = 86_400  # seconds after which nobody writes an unfinished file any more


def cache_folder() -> Path:
    """The folder of cached files; it may be removed at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "simsearch" / "files"


def file_digest(path: Path) -> str:
    """The SHA-256 of a local file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_file(storage: Storage, path: str, sha256: str, *, verify: bool) -> Path:
    """The path of a stored file on this machine. A remote file is first copied into the cache, under its
    digest.

    A copy is always checked when it is made. `verify` also checks the digest of a file that is there
    already, which reads the whole file. Raises NotFoundError if the file is gone, MismatchError if its
    digest differs.
    """
    uri = storage.uri(path)
    other = MismatchError(f"{uri}: not the file of its manifest; build the index again")
    if is_local(uri):
        local = Path(local_path(uri))
        if not local.is_file():
            raise NotFoundError(f"{uri}: nothing there; build the index again")
        if verify and file_digest(local) != sha256:
            raise other
        return local

    def fetch(unfinished: Path) -> None:
        storage.download(path, unfinished)
        if file_digest(unfinished) != sha256:
            raise other

    kept = cache_folder() / sha256
    if verify and kept.exists() and file_digest(kept) != sha256:
        kept.unlink(missing_ok=True)
    return cache_file(sha256, fetch)


def cache_file(name: str, make: Callable[[Path], None]) -> Path:
    """The cached file of a name, written by `make` if it is not there yet. The file appears only when it
    is whole. Raises StorageError if the cache cannot be written."""
    target = cache_folder() / name
    with suppress(FileNotFoundError, NotADirectoryError):
        os.utime(target)  # the least recently used files are removed first
        return target
    with _errors(str(target), "write"), _replacing(target) as unfinished:
        make(unfinished)
    _shrink(keep=target)
    return target


def map_array(path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any] | None:
    """The array of a local NumPy file, mapped and read-only. None if the file is cut off or its array has
    another type or shape. Raises StorageError if it cannot be read."""
    try:
        with _errors(str(path), "read"):
            array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError, SyntaxError, TokenError):
        return None
    # A view of the mapped file, without np.memmap's costs per slice.
    return np.asarray(array) if array.dtype == dtype and array.shape == shape else None


def _shrink(keep: Path) -> None:
    """Remove the least recently used files until all together have at most CACHE_BYTES. A process that
    has mapped a removed file keeps its content."""
    files = []
    for path in keep.parent.iterdir():
        with suppress(FileNotFoundError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for used, size, path in sorted(files):
        written = path.name.startswith(TEMPORARY) and used > time.time() - ABANDONED
        if total <= CACHE_BYTES or path == keep or written:
            continue
        path.unlink(missing_ok=True)
        total -= size
