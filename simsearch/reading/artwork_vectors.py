"""The vectors of the artworks themselves, mapped from disk, without those of their copies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simsearch.errors import MismatchError, StorageError
from simsearch.features.vectors import Vectors
from simsearch.indexes.index import manifest_of, open_vectors
from simsearch.reading.view import SnapshotView
from simsearch.storage.cached import cache_file, map_array

ROWS_AT_ONCE = 4096  # copied at once: 32 MiB for vectors of 2,048 numbers


def artwork_vectors(view: SnapshotView, space: str) -> Vectors:
    """The vectors of a space float32 [artworks, dimension] in the order of the view's artworks, of length 1
    and read-only.

    They are a view of the stored file if the originals lie at equal intervals in it. Otherwise they are
    copied once into the local cache. Raises the errors of `open_vectors`.
    """
    storage, folder = view.snapshot.storage, view.snapshot.index_folder(space)
    manifest = manifest_of(storage, folder, view.space(space).fingerprint)
    units = open_vectors(storage, folder, manifest)
    if len(units) != len(view.image_ids):
        raise MismatchError(
            f"{storage.uri(folder)}: {len(units)} vectors for {len(view.image_ids)} images; build the "
            "index again"
        )
    items = view.item_of_artwork.astype(np.int64)
    part = find_slice(items)
    if part is not None:
        return units[part]

    def copy(unfinished: Path) -> None:
        # The content of a damaged file must not stay in the cache under the digest of the whole file.
        whole = open_vectors(storage, folder, manifest, verify=True)
        _copy_rows(whole, items, unfinished)

    digest = hashlib.sha256(manifest.vectors_sha256.encode())
    digest.update(items.tobytes())
    return _cache_array(digest.hexdigest(), (len(items), units.shape[1]), copy)


def _cache_array(name: str, shape: tuple[int, int], make: Callable[[Path], None]) -> Vectors:
    """The float32 array that `make` writes, from the cache. A damaged file there is made anew."""
    path = cache_file(name, make)
    array = map_array(path, np.float32, shape)
    if array is None:
        path.unlink(missing_ok=True)
        array = map_array(cache_file(name, make), np.float32, shape)
    if array is None:
        raise StorageError(f"{path}: cut off; free some space there and ask again")
    return array


def find_slice(items: npt.NDArray[np.int64]) -> slice | None:
    """The slice that selects the same items in the same order. None if there is no such slice."""
    if len(items) < 2:
        return slice(int(items[0]), int(items[0]) + 1) if len(items) else slice(0, 0)
    step = int(items[1] - items[0])
    if step < 1 or (np.diff(items) != step).any():
        return None
    return slice(int(items[0]), int(items[-1]) + 1, step)


def _copy_rows(units: Vectors, items: npt.NDArray[np.int64], path: Path) -> None:
    shape = (len(items), units.shape[1])
    target = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, len(items), ROWS_AT_ONCE):
        target[start : start + ROWS_AT_ONCE] = units[items[start : start + ROWS_AT_ONCE]]
    target.flush()
