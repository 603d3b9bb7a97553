"""Local features of pictures, as readers of a snapshot ask for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.errors import NotFoundError
from simsearch.features.points import StoredPoints
from simsearch.reading.memo import Memo
from simsearch.storage.keyed_parts import StoredParts
from simsearch.storage.parts import list_parts

if TYPE_CHECKING:
    from simsearch.geometry.points import Points

POINTS_KEPT = 256  # pictures, of at most 32 kB each
KEYS_KEPT = 2  # places, of 72 bytes a picture
READINGS = 2  # of the stored points, as a run may merge their files in the meantime


class PointReader:
    """Reads the stored points of pictures. Which file has which pictures is read again only when there are
    other files. The latest points are kept."""

    def __init__(self) -> None:
        self._keys = Memo(KEYS_KEPT)
        self._kept: OrderedDict[tuple[str, str], Points] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, stored: StoredPoints, hashes: Iterable[str]) -> dict[str, Points]:
        """The points of pictures by content hash, as far as there are any. Raises StorageError for a file
        that cannot be read."""
        place, wanted = _place_of(stored), set(hashes)
        with self._lock:
            lacking = {name for name in wanted if (place, name) not in self._kept}
            points = self._read(stored, lacking) if lacking else {}
            points |= {name: self._kept[place, name] for name in wanted - lacking}
            for name, own in points.items():
                self._kept[place, name] = own
                self._kept.move_to_end((place, name))
            while len(self._kept) > POINTS_KEPT:
                self._kept.popitem(last=False)
        return points

    def _read(self, stored: StoredPoints, hashes: set[str]) -> dict[str, Points]:
        wanted = pa.array(sorted(hashes), pa.string())
        for reading in range(READINGS):
            keys = self._keys_of(stored)
            chosen = keys.table.filter(pc.is_in(keys.table["content_hash"], value_set=wanted))
            names = [keys.names[part] for part in pc.unique(chosen["part"]).to_pylist()]
            try:
                return stored.read(names, wanted)
            except NotFoundError:
                if reading == READINGS - 1:
                    raise
        return {}

    def _keys_of(self, stored: StoredPoints) -> StoredParts:
        files = list_parts(stored.storage, stored.parts.folder)
        names = tuple(
            info.path for info in files
        )  # files never change, and are named for their keys
        return self._keys.once((_place_of(stored), names), stored.stored)


def _place_of(stored: StoredPoints) -> str:
    return f"{stored.storage.root} {stored.fingerprint}"
