"""Regions that return at the same place in many pictures of a collection, such as a watermark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.geometry.confusers import Confuser
from simsearch.neighbours.lists import Items
from simsearch.snapshots.snapshot import Snapshot

# One row for each region and each artwork whose picture shows it, those of most artworks first.
CONFUSERS = pa.schema(
    [
        pa.field("confuser", pa.int32(), nullable=False),
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("box", schemas.BOX, nullable=False),
    ]
)


def write_confusers(
    snapshot: Snapshot,
    confusers: Iterable[Confuser],
    groups: Mapping[int, Items],
    ids: npt.NDArray[np.object_],
) -> None:
    """Store the regions. `groups` are the places in `ids`, the originals' artworks, by picture."""
    rows = [
        {"confuser": number, "artwork_id": ids[place], "box": box}
        for number, confuser in enumerate(confusers)
        for picture, box in zip(confuser.works, confuser.boxes, strict=True)
        for place in groups[picture].tolist()
    ]
    table = pa.Table.from_pylist(rows, schema=CONFUSERS)
    snapshot.storage.write_table(snapshot.confusers_path, table)
