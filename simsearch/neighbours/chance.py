"""What geometry finds of a whole collection: how often chance makes two of its pictures agree, and in which
of them it sees nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from simsearch.errors import NotFoundError
from simsearch.geometry.false_alarms import Chance, Evidence
from simsearch.snapshots.snapshot import Snapshot

EXPECTED = 1.0  # false pairs among all that are compared, at most

# One row; none where geometry is off.
CHANCE = pa.schema(
    [
        pa.field("compared", pa.int64(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("decade", pa.float64(), nullable=False),
    ]
)

# Artworks whose pictures have too few local features, and how many these are; −1 where they could not be
# made.
UNSEEN = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("points", pa.int32(), nullable=False),
    ]
)


@dataclass(frozen=True)
class CollectionChance:
    """What `chance` gives in a collection of which so many pairs of pictures were `compared`."""

    chance: Chance
    compared: int

    def false_alarms(self, evidence: Evidence) -> Evidence:
        """The numbers of false pairs expected among all compared pairs with as much evidence or more."""
        return self.chance.false_alarms(evidence, self.compared)


def write_chance(
    snapshot: Snapshot, collection: CollectionChance | None, unseen: Mapping[str, int]
) -> None:
    """Store what chance gives among a snapshot's originals, None where geometry is off, and the artworks
    `unseen`, as UNSEEN has them."""
    rows = []
    if collection is not None:
        chance = collection.chance
        rows.append(
            {"compared": collection.compared, "share": chance.share, "decade": chance.decade}
        )
    snapshot.storage.write_table(snapshot.chance_path, pa.Table.from_pylist(rows, schema=CHANCE))
    columns = [pa.array([*unseen], pa.string()), pa.array([*unseen.values()], pa.int32())]
    snapshot.storage.write_table(snapshot.unseen_path, pa.table(columns, schema=UNSEEN))


def read_chance(snapshot: Snapshot) -> CollectionChance | None:
    """What `write_chance` stored; None where geometry is off."""
    try:
        rows = snapshot.storage.read_table(snapshot.chance_path).to_pylist()
    except NotFoundError:  # a snapshot of an earlier version
        return None
    for row in rows:
        return CollectionChance(Chance(row["share"], row["decade"]), row["compared"])
    return None


def read_unseen(snapshot: Snapshot) -> list[str]:
    """The ids of the artworks in whose pictures geometry sees nothing."""
    try:
        ids = snapshot.storage.read_table(snapshot.unseen_path, ["artwork_id"])["artwork_id"]
    except NotFoundError:  # a snapshot of an earlier version
        return []
    return [str(artwork_id) for artwork_id in ids.to_pylist()]
