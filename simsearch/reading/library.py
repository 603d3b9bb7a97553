"""Which snapshots there are, over one or more storage roots, and the views of those in use."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from simsearch.errors import NotFoundError, StorageError
from simsearch.reading.artworks import collection_name
from simsearch.reading.memo import Memo
from simsearch.reading.view import SnapshotView
from simsearch.settings.config import Config
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.published import latest_snapshot
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

VIEWS_KEPT = 4  # a 50,000-artwork view holds about 150 MB
POINTER_SECONDS = 10  # after which LATEST is read again


@dataclass(frozen=True)
class Listed:
    """A published snapshot, as the choice of snapshots shows it."""

    snapshot_id: str
    created: str  # YYYY-MM-DD HH:MM:SS, UTC
    collection: str
    root: str
    artworks: int
    spaces: tuple[str, ...]
    newest: bool


class Library:
    """Published snapshots of `roots`; the first root's newest is shown unless another is asked for."""

    def __init__(self, config: Config, roots: Sequence[str]) -> None:
        self.config = config
        self.storages = [Storage(root, config.storage) for root in roots]
        self._views = Memo(VIEWS_KEPT)
        self._lock = threading.RLock()
        self._pointer: tuple[float, str] = (0.0, "")
        self._listing: tuple[float, list[Listed]] = (0.0, [])
        self._known: dict[str, Storage] = {}

    def newest_id(self) -> str:
        """The id of the first root's newest snapshot. Raises NotFoundError when nothing is
        published."""
        read, snapshot_id = self._pointer
        if not snapshot_id or time.monotonic() - read > POINTER_SECONDS:
            snapshot_id = latest_snapshot(self.storages[0]).snapshot_id
            self._pointer = (time.monotonic(), snapshot_id)
        return snapshot_id

    def view(self, snapshot_id: str | None = None) -> SnapshotView:
        """A snapshot's view (None: the newest). Raises NotFoundError for one that is not published."""
        wanted = snapshot_id or self.newest_id()
        snapshot = self._find(wanted)
        return self._views.once(wanted, lambda: self._read(snapshot))

    def _read(self, snapshot: Snapshot) -> SnapshotView:
        started = time.monotonic()
        view = SnapshotView(self.config, snapshot)
        seconds = time.monotonic() - started
        log.info("explore: snapshot %s read in %.1f s", snapshot.snapshot_id, seconds)
        return view

    def _find(self, snapshot_id: str) -> Snapshot:
        known = self._known
        if snapshot_id not in known:
            self._known = known = self._published()
        if snapshot_id not in known:
            raise NotFoundError(
                "no published snapshot of that id here; choose one on the Runs page"
            )
        return Snapshot(known[snapshot_id], snapshot_id)

    def _published(self) -> dict[str, Storage]:
        """The storage of each published snapshot by its id. Ids from addresses are looked up in it, so that
        no text from an address becomes a path."""
        published: dict[str, Storage] = {}
        for storage in self.storages:
            for info in storage.files(SNAPSHOTS):
                name, _, file = info.path.partition("/")
                if file == "manifest.json":
                    published.setdefault(name, storage)
        return published

    def listed(self) -> list[Listed]:
        """All published snapshots, newest first; as of at most POINTER_SECONDS ago."""
        with self._lock:
            read, rows = self._listing
            if rows and time.monotonic() - read < POINTER_SECONDS:
                return rows
            self._known = self._published()
            newest = {latest_snapshot(storage).snapshot_id for storage in self.storages}
            listed = [
                self._listed(Snapshot(storage, name), newest)
                for name, storage in self._known.items()
            ]
            rows = [row for row in listed if row is not None]
            rows.sort(key=lambda row: (row.created, row.newest), reverse=True)
            self._listing = (time.monotonic(), rows)
            return rows

    def _listed(self, snapshot: Snapshot, newest: set[str]) -> Listed | None:
        try:
            manifest = snapshot.storage.read_json(snapshot.manifest_path)
            plan = Plan.from_json(manifest["plan"])
            return Listed(
                snapshot_id=snapshot.snapshot_id,
                created=str(manifest["created"])[:19].replace("T", " "),
                collection=collection_name(plan),
                root=snapshot.storage.root,
                artworks=plan.artworks,
                spaces=tuple(space.name for space in plan.spaces),
                newest=snapshot.snapshot_id in newest,
            )
        except (StorageError, KeyError, TypeError) as error:
            log.warning("explore: snapshot %s left out: %s", snapshot.snapshot_id, error)
            return None
