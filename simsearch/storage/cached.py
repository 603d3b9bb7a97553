"""Large files on this machine: those of a local root where they lie, those of a remote one as copies in a
cache that is bounded."""

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

# Of all cached files together: ten spaces of 50,000 artworks with five copies each, of 2,048 numbers.
CACHE_BYTES = 24 * 2**30
ABANDONED = 86_400  # seconds after which an unfinished file has no process any more that writes it


def cache_folder() -> Path:
    """The folder of cached files; it may be removed at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "simsearch" / "files"


def file_digest(path: Path) -> str:
    """The SHA-256 of a local file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_file(storage: Storage, path: str, sha256: str, *, verify: bool) -> Path:
    """The path of a stored file on this machine. A remote file is copied into the cache first, under its
    digest.

    `verify` checks the digest of a file that is there already, which reads it whole; a copy is always
    checked when it is made. Raises NotFoundError where the file is gone, MismatchError where its
    digest is another.
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
    return cached(sha256, fetch)


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The cached file of a name, written by `make` where it is not there yet. It appears only when it is
    whole. Raises StorageError where the cache cannot be written."""
    target = cache_folder() / name
    with suppress(FileNotFoundError, NotADirectoryError):
        os.utime(target)  # the least recently used go first
        return target
    with _errors(str(target), "write"), _replacing(target) as unfinished:
        make(unfinished)
    _shrink(keep=target)
    return target


def mapped_array(
    path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]
) -> npt.NDArray[Any] | None:
    """The array of a local NumPy file, mapped and read-only; None where the file holds another one or is
    cut off. Raises StorageError where it cannot be read."""
    try:
        with _errors(str(path), "read"):
            array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError, SyntaxError, TokenError):
        return None
    # A view of the mapped file, without np.memmap's costs per slice.
    return np.asarray(array) if array.dtype == dtype and array.shape == shape else None


def _shrink(keep: Path) -> None:
    """Remove the least recently used files until all together have CACHE_BYTES; a process that has one
    mapped keeps what it maps."""
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
