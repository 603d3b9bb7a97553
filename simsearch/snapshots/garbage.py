"""Garbage collection: files that no kept snapshot refers to, older than a grace period.

The newest N snapshots are kept, the published one, the unfinished one, those that an explorer shows, and
the files that these refer to: catalogs, feature shards, downloaded images, thumbnails. Run records are
never removed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.stored import load_catalog
from simsearch.encoders.trained import FOLDER, MANIFEST, folders_of, trainings_of
from simsearch.errors import NotFoundError, StorageError
from simsearch.features import points
from simsearch.features import store as feature_store
from simsearch.images import thumbnails
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.published import SNAPSHOT_ID, list_snapshots, read_latest
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.snapshots.viewing import FOLDER as VIEWING
from simsearch.snapshots.viewing import SECONDS as VIEWING_SECONDS
from simsearch.snapshots.viewing import list_viewings
from simsearch.storage.damage import FOLDER as DAMAGED
from simsearch.storage.parts import PART
from simsearch.storage.storage import FileInfo, Storage, list_leftovers

IMAGE_FOLDERS = ("images/downloaded", "images/generated", "images/embedded")


# The names that simsearch gives. Other files in its folders belong to somebody else and stay.
CATALOG = re.compile(rf"({SNAPSHOT_ID.pattern})\.parquet")
SHARD = re.compile(rf"[^/]+/{PART.pattern}")
TRAINED = re.compile(r"[^/]+-[0-9a-f]{16}/")
THUMBNAIL = re.compile(r"[0-9a-z]+-\d+\.webp")


@dataclass(frozen=True)
class Garbage:
    """A file to remove: its path below the root, its size in bytes, and why."""

    path: str
    size: int
    why: str


def kept_snapshots(storage: Storage, keep: int) -> list[Snapshot]:
    """The newest `keep` sealed snapshots, the published one, those that an explorer shows, and the
    unfinished one."""
    sealed = list_snapshots(storage)
    if sealed:
        sealed[-1].created()  # a snapshot with a damaged manifest comes last, and may be the newest
    kept = {snapshot.snapshot_id: snapshot for snapshot in sealed[:keep]}
    latest = read_latest(storage)
    if latest is not None:
        kept[latest.snapshot_id] = Snapshot(storage, latest.snapshot_id)
    shown = {viewing.snapshot_id for viewing in list_viewings(storage)}
    kept |= {snapshot.snapshot_id: snapshot for snapshot in sealed if snapshot.snapshot_id in shown}
    try:
        pending = pending_snapshot(storage)
    except NotFoundError:
        return list(kept.values())
    if not pending.sealed() and storage.exists(pending.plan_path):
        kept[pending.snapshot_id] = pending
    return list(kept.values())


def find_garbage(storage: Storage, keep: int, older_than: float) -> list[Garbage]:
    """The files to remove: unreferenced, and last written before `older_than` (seconds since 1970).

    A snapshot's manifest comes before its other files, so that a half-removed snapshot no longer counts
    as one. Raises StorageError if all files of a kind look unreferenced: then a misread reference is
    more likely than a kind of files without use.
    """
    kept = kept_snapshots(storage, keep)
    garbage = [
        *_snapshots(storage, {snapshot.snapshot_id for snapshot in kept}, older_than),
        *_catalogs(storage, {snapshot.plan().catalog_id for snapshot in kept}, older_than),
        *_shards(storage, kept, older_than),
        *_geometry(storage, kept, older_than),
        *_trainings(storage, kept, older_than),
        *_images(storage, kept, older_than),
        *_thumbnails(storage, kept, older_than),
    ]
    garbage += _old(storage.files("weights"), "weights/", "stored again by a run", older_than)
    garbage += _old(storage.files(DAMAGED), f"{DAMAGED}/", "damaged, set aside", older_than)
    expired = min(older_than, time.time() - VIEWING_SECONDS)
    garbage += _old(storage.files(VIEWING), f"{VIEWING}/", "of an explorer that ended", expired)
    leftovers = list_leftovers(storage.root, storage.config)
    garbage += _old(leftovers, "", "left by a killed process", older_than)
    return garbage


def removed_artworks(storage: Storage, keep: int) -> dict[str, list[str]]:
    """Artworks that the published snapshot no longer has but another kept one still holds: their ids, by
    the other snapshot's id."""
    latest = read_latest(storage)
    if latest is None:
        return {}
    kept = {snapshot.snapshot_id: snapshot for snapshot in kept_snapshots(storage, keep)}
    now = _artworks(kept.pop(latest.snapshot_id))
    return {
        snapshot_id: sorted(gone)
        for snapshot_id, snapshot in kept.items()
        if (gone := _artworks(snapshot) - now)
    }


def _artworks(snapshot: Snapshot) -> set[str]:
    """The ids of a snapshot's artworks, without the stand-ins of those that were taken down."""
    images = snapshot.images()
    real = pc.not_equal(images["artwork_id"], images["content_hash"])
    return set(images["artwork_id"].filter(real).unique().to_pylist())


def remove(storage: Storage, garbage: Iterable[Garbage], confirm: Callable[[], None]) -> None:
    """Delete files. `confirm` is called before each: it raises where another run has begun, which may
    refer to what looked unused."""
    for file in garbage:
        confirm()
        storage.delete(file.path)


def _snapshots(storage: Storage, kept: set[str], older_than: float) -> Iterator[Garbage]:
    folders: dict[str, list[FileInfo]] = {}
    for info in storage.files(SNAPSHOTS):
        folders.setdefault(info.path.partition("/")[0], []).append(info)
    for snapshot_id, files in folders.items():
        if not SNAPSHOT_ID.fullmatch(snapshot_id):
            continue
        if snapshot_id in kept or max(info.modified for info in files) >= older_than:
            continue
        files.sort(key=lambda info: (not info.path.endswith("/manifest.json"), info.path))
        for info in files:
            yield Garbage(f"{SNAPSHOTS}/{info.path}", info.size, f"snapshot {snapshot_id}")


def _catalogs(storage: Storage, kept: set[str], older_than: float) -> Iterator[Garbage]:
    current = load_catalog(storage).catalog_id
    unused = [
        info
        for info in storage.files("catalog")
        if (name := CATALOG.fullmatch(info.path)) and name[1] not in kept | {current}
    ]
    yield from _old(unused, "catalog/", "catalog of no kept snapshot", older_than)


def _shards(storage: Storage, kept: list[Snapshot], older_than: float) -> Iterator[Garbage]:
    """Shards without any vector of a kept snapshot. A single such vector keeps its shard."""
    wanted: dict[str, set[str]] = {}
    spaces: set[str] = set()
    for snapshot in kept:
        keys = feature_store.keys_of(snapshot.images())
        for space in snapshot.plan().spaces:
            wanted.setdefault(space.fingerprint, set()).update(keys)
            spaces.add(space.fingerprint)
        # A head's backbone space is kept too: the next run applies the head to new vectors of that space.
        for trainings in trainings_of(storage, snapshot.plan().spaces).values():
            for training in trainings:
                if training.fitted_for is not None:
                    wanted.setdefault(training.fitted_for, set()).update(keys)
                    spaces.add(training.fitted_for)
    shards = [info for info in storage.files("features") if SHARD.fullmatch(info.path)]

    def of_kept_space(info: FileInfo) -> bool:
        return info.path.partition("/")[0] in spaces

    for info in _select_unused(shards, of_kept_space, older_than):
        yield Garbage(f"features/{info.path}", info.size, "feature space of no kept snapshot")
    for info in shards:
        if info.modified >= older_than or not of_kept_space(info):
            continue
        fingerprint = info.path.partition("/")[0]
        shard = storage.read_table(f"features/{info.path}", ["content_hash", "profile"])
        if wanted[fingerprint].isdisjoint(feature_store.keys_of(shard)):
            yield Garbage(f"features/{info.path}", info.size, "images of no kept snapshot")


def _geometry(storage: Storage, kept: list[Snapshot], older_than: float) -> Iterator[Garbage]:
    """Shards of points and of agreements without a picture of a kept snapshot."""
    wanted: dict[str, set[str]] = {}
    for snapshot in kept:
        settings = snapshot.plan().settings
        if settings.geometry.enabled:
            hashes = _hashes(snapshot).to_pylist()
            wanted.setdefault(points.fingerprint_of(settings), set()).update(hashes)
    for folder, names in (
        (points.FOLDER, ["content_hash"]),
        (points.AGREEMENTS_FOLDER, ["first_hash", "second_hash"]),
    ):
        for info in storage.files(folder):
            if not SHARD.fullmatch(info.path) or info.modified >= older_than:
                continue
            fingerprint = next((key for key in wanted if info.path.startswith(key)), None)
            if fingerprint is None:
                yield Garbage(f"{folder}/{info.path}", info.size, "points of no kept snapshot")
                continue
            shard = storage.read_table(f"{folder}/{info.path}", names)
            rows = zip(*(shard[name].to_pylist() for name in names), strict=True)
            if not any(wanted[fingerprint].issuperset(row) for row in rows):
                yield Garbage(f"{folder}/{info.path}", info.size, "images of no kept snapshot")


def _trainings(storage: Storage, kept: list[Snapshot], older_than: float) -> Iterator[Garbage]:
    """Files of trainings that no kept snapshot uses, each training's manifest first."""
    used = {
        place
        for snapshot in kept
        for space in snapshot.plan().spaces
        for place in folders_of(space)
    }
    files = [info for info in storage.files(FOLDER) if TRAINED.match(info.path)]
    for info in sorted(files, key=lambda info: (not info.path.endswith(MANIFEST), info.path)):
        place = f"{FOLDER}/{info.path.partition('/')[0]}"
        if place not in used and info.modified < older_than:
            yield Garbage(f"{FOLDER}/{info.path}", info.size, "learned for no kept snapshot")


def _images(storage: Storage, kept: list[Snapshot], older_than: float) -> Iterator[Garbage]:
    files = [info for folder in IMAGE_FOLDERS for info in storage.files(folder)]
    if not files:
        return
    catalogs = {snapshot.plan().catalog_id for snapshot in kept} | {
        load_catalog(storage).catalog_id
    }
    used = {
        uri
        for catalog_id in catalogs
        for uri in load_catalog(storage, catalog_id).table["image_uri"].to_pylist()
    }
    for info in _select_unused(files, lambda info: info.uri in used, older_than):
        path = info.uri.removeprefix(storage.uri("")).lstrip("/")
        yield Garbage(path, info.size, "image of no kept catalog")


def _thumbnails(storage: Storage, kept: list[Snapshot], older_than: float) -> Iterator[Garbage]:
    hashes = {content_hash for snapshot in kept for content_hash in _hashes(snapshot).to_pylist()}
    files = [info for info in storage.files(thumbnails.FOLDER) if THUMBNAIL.fullmatch(info.path)]

    def used(info: FileInfo) -> bool:
        return thumbnails.hash_of_path(info.path) in hashes

    for info in _select_unused(files, used, older_than):
        yield Garbage(f"{thumbnails.FOLDER}/{info.path}", info.size, "picture of no kept snapshot")


def _hashes(snapshot: Snapshot) -> pa.Array:
    images = snapshot.storage.read_table(snapshot.images_path, ["content_hash"])
    return images["content_hash"].unique()


def _select_unused(
    files: list[FileInfo], used: Callable[[FileInfo], bool], older_than: float
) -> list[FileInfo]:
    """The files of a kind that can go. Raises StorageError where all of them could."""
    unused = [info for info in files if not used(info)]
    old = [info for info in unused if info.modified < older_than]
    if old and len(unused) == len(files):
        raise StorageError(
            f"{old[0].uri} and all {len(files):,} files of its kind: no kept snapshot names one of them, so "
            "nothing was removed anywhere; if they are truly of no use, remove their folder by hand"
        )
    return old


def _old(files: Iterable[FileInfo], folder: str, why: str, older_than: float) -> Iterator[Garbage]:
    for info in files:
        if info.modified < older_than:
            yield Garbage(folder + info.path, info.size, why)
