"""The neighbour lists of the previous snapshot, as far as they serve the next one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.errors import NotFoundError
from simsearch.evaluation.lists import Items, Lists, matched
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.snapshots.snapshot import Snapshot

AMONG = ("images", "originals")


@dataclass(frozen=True)
class Earlier:
    """A space's `lists` among all images and among the originals, of that snapshot's items `asked`;
    `now` [its items]: today's number of each, −1 where the picture is gone."""

    lists: tuple[Lists, Lists]
    asked: Items
    now: Items


def read_earlier(previous: Snapshot, space: FeatureSpace, images: pa.Table) -> Earlier | None:
    """None where the previous snapshot has no such space, or no lists. A picture is told by its
    content, so that a renamed artwork keeps its lists and a changed one has none."""
    names = {each.fingerprint: each.name for each in previous.plan().spaces}
    name = names.get(space.fingerprint)
    if name is None:
        return None
    try:
        every, alone = (
            _from_table(previous.storage.read_table(previous.lists_path(name, among)))
            for among in AMONG
        )
    except NotFoundError:
        return None
    before = previous.images()
    keys = (np.array(feature_store.keys_of(each)) for each in (before, images))
    asked = np.flatnonzero(before["profile"].is_null().to_numpy())
    return Earlier((every, alone), asked, matched(*keys))


def store_lists(snapshot: Snapshot, space: str, lists: tuple[Lists, Lists]) -> None:
    for among, each in zip(AMONG, lists, strict=True):
        snapshot.storage.write_table(snapshot.lists_path(space, among), _as_table(each))


def _as_table(lists: Lists) -> pa.Table:
    width = lists.items.shape[1]
    items, squared = (
        pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(each).ravel()), width)
        for each in (lists.items, lists.squared)
    )
    columns = [items, squared, pa.array(lists.horizon)]
    return pa.table(columns, schema=schemas.neighbour_lists(width))


def _from_table(table: pa.Table) -> Lists:
    items, squared = (
        table[name].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
        for name in ("items", "squared")
    )
    return Lists(items, squared, table["horizon"].to_numpy())
