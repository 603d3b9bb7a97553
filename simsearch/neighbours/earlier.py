"""The neighbour lists of the previous snapshot, from which the next one's are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.neighbours.lists import Items, Lists, match_keys
from simsearch.snapshots.snapshot import Snapshot

AMONG = ("images", "originals")


@dataclass(frozen=True)
class Earlier:
    """The neighbour lists of one space in the previous snapshot.

    `lists` are those among all images and those among the originals, both for that snapshot's items
    `asked` (its originals). `now` has the number of each item of that snapshot in today's, −1 if the
    picture is gone."""

    lists: tuple[Lists, Lists]
    asked: Items
    now: Items


def read_earlier(previous: Snapshot, space: FeatureSpace, images: pa.Table) -> Earlier | None:
    """The lists of a space in the previous snapshot. None if that has no such space, or no lists.

    Pictures are matched by their content: a renamed artwork keeps its lists, and a changed one has
    none."""
    names = {old_space.fingerprint: old_space.name for old_space in previous.plan().spaces}
    name = names.get(space.fingerprint)
    if name is None:
        return None
    if not all(previous.storage.exists(previous.lists_path(name, among)) for among in AMONG):
        return None
    among_images, among_originals = (read_lists(previous, name, among) for among in AMONG)
    before = previous.images()
    keys = (np.array(feature_store.keys_of(table)) for table in (before, images))
    asked = np.flatnonzero(before["profile"].is_null().to_numpy())
    return Earlier((among_images, among_originals), asked, match_keys(*keys))


def read_lists(snapshot: Snapshot, space: str, among: str) -> Lists:
    """The lists of a space among all `images` or among `originals`. Raises NotFoundError."""
    table = snapshot.storage.read_table(snapshot.lists_path(space, among))
    items, squared = (matrix_of(table, name) for name in ("items", "squared"))
    return Lists(items, squared, table["horizon"].to_numpy())


def lists_table(lists: Lists) -> pa.Table:
    """The lists as schemas.neighbour_lists."""
    schema = schemas.neighbour_lists(lists.items.shape[1])
    items, squared = (column_of(matrix) for matrix in (lists.items, lists.squared))
    return pa.table([items, squared, pa.array(lists.horizon)], schema=schema)


def column_of(matrix: npt.NDArray[Any]) -> pa.Array:
    """A matrix [rows, width] as a column with one list of `width` values a row."""
    flat = pa.array(np.ascontiguousarray(matrix).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def matrix_of(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """The matrix [rows, width] of a column by `column_of`."""
    flat = table[name].combine_chunks().flatten().to_numpy()
    return np.asarray(flat.reshape(table.num_rows, -1))
