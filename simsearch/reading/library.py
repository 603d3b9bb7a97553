"""The snapshots of one or more roots, and the views of those in use."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from simsearch.catalog.forgotten import FOLDER as FORGOTTEN
from simsearch.errors import GoneError, NotFoundError, StorageError
from simsearch.reading.artworks import collection_name
from simsearch.reading.memo import Memo
from simsearch.reading.view import SnapshotView
from simsearch.settings.config import Config
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.published import SNAPSHOT_ID, latest_snapshot, read_latest
from simsearch.snapshots.snapshot import Snapshot, counts_of
from simsearch.snapshots.viewing import RENEW_SECONDS, SECONDS, Viewing, note_viewing
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

VIEWS_KEPT = 4  # a 50,000-artwork view holds about 150 MB
POINTER_SECONDS = 10  # after which LATEST is read again


@dataclass(frozen=True)
class Listed:
    """A published snapshot in the list from which visitors choose."""

    snapshot_id: str
    created: str  # YYYY-MM-DD HH:MM:SS, UTC
    collection: str
    root: str
    artworks: int
    spaces: tuple[str, ...]
    newest: bool


class Library:
    """Published snapshots of `roots`. By default the newest of the first root is shown."""

    def __init__(self, config: Config, roots: Sequence[str]) -> None:
        self.config = config
        self.storages = [Storage(root, config.storage) for root in roots]
        self._views = Memo(VIEWS_KEPT)
        self._lock = threading.RLock()
        self._pointer: tuple[float, str] = (0.0, "")
        self._listing: tuple[float, list[Listed]] = (0.0, [])
        self._known: dict[str, Storage] = {}
        self._seen: dict[str, float] = {}
        self._noted: dict[str, float] = {}
        self._viewer = secrets.token_hex(8)
        self._removals: dict[str, tuple[float, str]] = {}
        self._empty: set[str] = set()

    def newest_id(self) -> str:
        """The id of the published snapshot of the first root that has one. Raises NotFoundError if nothing
        is published."""
        read, snapshot_id = self._pointer
        if not snapshot_id or time.monotonic() - read > POINTER_SECONDS:
            snapshot_id = self._latest_ids()[0]
            self._pointer = (time.monotonic(), snapshot_id)
        return snapshot_id

    def _latest_ids(self) -> list[str]:
        """The ids of the roots' published snapshots. A root without one is logged once. Raises NotFoundError
        if no root has one."""
        ids, problems = [], []
        for storage in self.storages:
            try:
                ids.append(latest_snapshot(storage).snapshot_id)
            except StorageError as error:
                problems.append(error)
                if len(self.storages) > 1 and storage.root not in self._empty:
                    self._empty.add(storage.root)
                    log.warning("explore: %s; the other roots are shown", error)
        if not ids:
            raise problems[0]
        return ids

    def view(self, snapshot_id: str | None = None) -> SnapshotView:
        """A snapshot's view (None: the newest). Raises NotFoundError for one that is not published,
        GoneError for one that was removed."""
        wanted = snapshot_id or self.newest_id()
        snapshot = self._find(wanted)
        edition = self._edition(snapshot.storage)
        return self._views.once((wanted, edition), lambda: self._read(snapshot, edition))

    def _edition(self, storage: Storage) -> str:
        """A text that changes when an artwork is taken down, as older views still hold it. It is at most
        POINTER_SECONDS old."""
        read, edition = self._removals.get(storage.root, (0.0, ""))
        if not read or time.monotonic() - read > POINTER_SECONDS:
            records = sorted(f"{info.path} {info.etag}" for info in storage.files(FORGOTTEN))
            edition = hashlib.sha256("\n".join(records).encode()).hexdigest()[:16]
            self._removals[storage.root] = (time.monotonic(), edition)
        return edition

    def _read(self, snapshot: Snapshot, edition: str) -> SnapshotView:
        started = time.monotonic()
        view = SnapshotView(self.config, snapshot, edition)
        seconds = time.monotonic() - started
        log.info("explore: snapshot %s read in %.1f s", snapshot.snapshot_id, seconds)
        return view

    def _find(self, snapshot_id: str) -> Snapshot:
        known = self._known
        if snapshot_id not in known:
            self._known = known = self._published()
        if snapshot_id not in known:
            if SNAPSHOT_ID.fullmatch(snapshot_id):
                raise _gone()
            raise NotFoundError(
                "no published snapshot of that id here; choose one on the Runs page"
            )
        snapshot, now = Snapshot(known[snapshot_id], snapshot_id), time.monotonic()
        if now - self._seen.get(snapshot_id, -POINTER_SECONDS) >= POINTER_SECONDS:
            if self.is_gone(snapshot_id):
                raise _gone()
            self._seen[snapshot_id] = now
            self._note_viewing(snapshot, now)
        return snapshot

    def is_gone(self, snapshot_id: str | None = None) -> bool:
        """Whether a snapshot (None: the newest) was removed after it was read. Such a snapshot is
        forgotten."""
        wanted = snapshot_id or self._pointer[1]
        storage = self._known.get(wanted)
        if storage is None or Snapshot(storage, wanted).sealed():
            return False
        self._known = {name: place for name, place in self._known.items() if name != wanted}
        self._pointer, self._listing = (0.0, ""), (0.0, [])
        return True

    def _note_viewing(self, snapshot: Snapshot, now: float) -> None:
        """Keep `snapshots gc` from removing a snapshot that is shown, if the root can be written."""
        if now - self._noted.get(snapshot.snapshot_id, -RENEW_SECONDS) < RENEW_SECONDS:
            return
        first = not self._noted
        self._noted[snapshot.snapshot_id] = now
        holder = f"{socket.gethostname()}, process {os.getpid()}"
        viewing = Viewing(snapshot.snapshot_id, holder, time.time() + SECONDS)
        try:
            note_viewing(snapshot.storage, viewing, self._viewer)
        except StorageError as error:
            if first:
                log.info("explore: snapshots gc is not told what is shown: %s", error)

    def _published(self) -> dict[str, Storage]:
        """The storage of each published snapshot by its id. Ids from addresses are looked up here, so that no
        text from an address becomes a path."""
        published: dict[str, Storage] = {}
        for storage in self.storages:
            for info in storage.files(SNAPSHOTS):
                name, _, file = info.path.partition("/")
                if file == "manifest.json":
                    published.setdefault(name, storage)
        return published

    def listed(self) -> list[Listed]:
        """All published snapshots, newest first. The list is at most POINTER_SECONDS old."""
        with self._lock:
            read, rows = self._listing
            if rows and time.monotonic() - read < POINTER_SECONDS:
                return rows
            self._known = self._published()
            newest, withdrawn = set(self._latest_ids()), self._withdrawn()
            listed = [
                self._listed(Snapshot(storage, name), newest)
                for name, storage in self._known.items()
                if name not in withdrawn
            ]
            rows = [row for row in listed if row is not None]
            rows.sort(key=lambda row: (row.created, row.newest), reverse=True)
            self._listing = (time.monotonic(), rows)
            return rows

    def _withdrawn(self) -> set[str]:
        """The snapshots that were rolled back. Links to them still work, but no page links to them."""
        withdrawn: set[str] = set()
        for storage in self.storages:
            with suppress(
                StorageError
            ):  # `_latest_ids` has named a root whose LATEST cannot be read
                latest = read_latest(storage)
                withdrawn.update(() if latest is None else latest.withdrawn)
        return withdrawn

    def _listed(self, snapshot: Snapshot, newest: set[str]) -> Listed | None:
        try:
            manifest = snapshot.storage.read_json(snapshot.manifest_path)
            plan = Plan.from_json(manifest["plan"])
            return Listed(
                snapshot_id=snapshot.snapshot_id,
                created=str(manifest["created"])[:19].replace("T", " "),
                collection=collection_name(plan),
                root=snapshot.storage.root,
                artworks=counts_of(plan, manifest.get("forgotten", {})).artworks,
                spaces=tuple(space.name for space in plan.spaces),
                newest=snapshot.snapshot_id in newest,
            )
        except (StorageError, KeyError, TypeError) as error:
            log.warning("explore: snapshot %s left out: %s", snapshot.snapshot_id, error)
            return None


def _gone() -> GoneError:
    return GoneError(
        "the snapshot that this address names is not here any more; the start page shows the newest"
    )
