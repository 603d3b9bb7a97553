"""Local features in Parquet shards, one folder per fingerprint: what geometry sees of each picture.

points/<fingerprint>/part-<digest>.parquet
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from simsearch.errors import DamagedError
from simsearch.settings.config import Config
from simsearch.storage.keyed_parts import KeyedParts, StoredParts
from simsearch.storage.storage import Storage

if TYPE_CHECKING:
    from simsearch.geometry.points import Points

FOLDER = "points"
AGREEMENTS_FOLDER = "agreements"  # what was said of pairs of pictures, by their points
DEFINITION = 1  # raised where `points_of` gives other points of the same pixels
PICTURES_A_SHARD = 512  # at most 16 MiB of points
PICTURES_TOGETHER = 8  # are read to have the points of one


# Local features of pictures: simsearch.geometry.points.Points.
POINTS = pa.schema(
    [
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("count", pa.int32(), nullable=False),
        pa.field("points", pa.binary(), nullable=False),
    ]
)

# What two pictures show in common: simsearch.geometry.agreement.Agreement. Null where they do not agree.
AGREEMENTS = pa.schema(
    [
        pa.field("first_hash", pa.string(), nullable=False),
        pa.field("second_hash", pa.string(), nullable=False),
        pa.field("inliers", pa.int32()),
        pa.field("evidence", pa.float64()),
        pa.field("transform", pa.list_(pa.float64(), 9)),
        pa.field("mirrored", pa.bool_()),
        pa.field("outline", pa.list_(pa.float32())),  # x and y of each corner
        pa.field("other_outline", pa.list_(pa.float32())),
        pa.field("share", pa.float32()),
        pa.field("other_share", pa.float32()),
        pa.field("size", pa.list_(pa.int32(), 2)),  # width and height
        pa.field("other_size", pa.list_(pa.int32(), 2)),
        pa.field("places", pa.list_(pa.float32())),  # x and y of each matched point
        pa.field("other_places", pa.list_(pa.float32())),
        pa.field("overlap", pa.float32()),
        pa.field("other_overlap", pa.float32()),
        pa.field("coverage", pa.float32()),
        pa.field("likeness", pa.float32()),
        pa.field("residual", pa.float32()),
        pa.field("framed", pa.bool_()),
        pa.field("negative", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class StoredPoints:
    """The points of the pictures that were decoded with the same settings, by content hash."""

    storage: Storage
    fingerprint: str

    @classmethod
    def of(cls, config: Config, storage: Storage) -> StoredPoints | None:
        """The points that belong to the settings; None where geometry is off."""
        return cls(storage, fingerprint_of(config)) if config.geometry.enabled else None

    @property
    def parts(self) -> KeyedParts:
        return points_parts(self.storage, self.fingerprint)

    def write(self, points: Mapping[str, Points]) -> None:
        """Store the points of pictures by content hash."""
        columns = [
            pa.array(points.keys(), pa.string()),
            pa.array(map(len, points.values()), pa.int32()),
            pa.array([own.to_bytes() for own in points.values()], pa.binary()),
        ]
        self.parts.write(pa.table(columns, schema=POINTS))

    def stored(self) -> StoredParts:
        """The pictures with stored points, and how many each has, as `count`."""
        return self.parts.stored("count")

    def read(self, names: Iterable[str], hashes: pa.Array) -> dict[str, Points]:
        """The points of the pictures `hashes` that the shards `names` hold. Raises DamagedError for a shard
        that does not hold what was written."""
        # OpenCV, which a reader of snapshots need not have
        from simsearch.geometry.points import Points, PointsError

        points: dict[str, Points] = {}
        for name in names:
            for row in self.parts.read_rows(name, hashes).to_pylist():
                try:
                    points[row["content_hash"]] = Points.from_bytes(row["points"])
                except PointsError as error:
                    path = f"{self.parts.folder}/{name}"
                    raise DamagedError(self.storage.root, path, str(error)) from None
        return points

    def compact(self) -> int:
        """Merge small shards; returns how many."""
        return self.parts.compact(PICTURES_A_SHARD)


def points_parts(storage: Storage, name: str) -> KeyedParts:
    """The shards of points in the folder `name` of those of all fingerprints."""
    return KeyedParts(storage, f"{FOLDER}/{name}", POINTS, ("content_hash",), PICTURES_TOGETHER)


def agreements_parts(storage: Storage, name: str) -> KeyedParts:
    """The shards of agreements in the folder `name` of those of all fingerprints."""
    key = ("first_hash", "second_hash")
    return KeyedParts(storage, f"{AGREEMENTS_FOLDER}/{name}", AGREEMENTS, key)


def fingerprint_of(config: Config) -> str:
    """A name that follows from all that decides a picture's points."""
    described = {
        "definition": DEFINITION,
        "background": config.images.background,
        "side": config.perturbations.side,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    return f"sift-{digest[:16]}"
