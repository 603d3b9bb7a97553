"""Neighbour lists carried from one snapshot to the next.

A list holds, in order, all other images that are nearer to its original than its horizon. Images that are
gone are removed, and new ones inserted. A list that is then too short is searched again. The result equals
a search of everything, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours, cosine_error, nearest

SPARE = 64  # entries beyond the needed ones, so that a list survives some nights of removals

Items = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """The lists of queries [n].

    - `items` int64 [n, width], nearest first, by squared distance and then item number. The query itself
      is never among them. −1 where the list ends.
    - `squared` float64 [n, width]: their squared distances, ∞ where the list ends.
    - `horizon` float64 [n]: every other image nearer than this is in the list (∞: all are). An item
      exactly at the horizon is listed only if it sorts before its ties."""

    items: Items
    squared: npt.NDArray[np.float64]
    horizon: npt.NDArray[np.float64]

    def first(self, n: int) -> Neighbours:
        """The nearest `n`. The lists have to hold that many, or everything."""
        items, short = self.items[:, :n], ((0, 0), (0, max(0, n - self.items.shape[1])))
        distances = np.sqrt(self.squared[:, :n]).astype(np.float32)
        return Neighbours(
            np.pad(items, short, constant_values=-1),
            np.pad(distances, short, constant_values=np.inf),
        )

    def rows(self, chosen: Items) -> Lists:
        return Lists(self.items[chosen], self.squared[chosen], self.horizon[chosen])


def search_lists(units: Vectors, among: Items, queries: Items, depth: int) -> Lists:
    """The lists of the items `queries` among the items `among` [m], which ascend. Lists have at least
    `depth` entries if there are so many. `units` [items, d] are unit rows."""
    width = depth + SPARE
    # One more for the query itself, and one for the horizon.
    places, squared = nearest(_rows(units, among), units[queries], width + 2)
    items = among[places]
    itself = items == queries[:, None]
    items, squared = np.where(itself, -1, items), np.where(itself, np.inf, squared)
    order = np.argsort(itself, axis=1, kind="stable")  # itself last
    items, squared = _order(items, squared, order)
    return _narrow(Lists(items, squared, np.full(len(queries), np.inf)), width)


def carry_lists(
    before: Lists,
    asked: Items,
    now: Items,
    units: Vectors,
    among: Items,
    queries: Items,
    depth: int,
) -> tuple[Lists, Items]:
    """The same lists as `search_lists`, made from another snapshot's lists where possible.

    `before` are the lists of that snapshot's items `asked` [q]. `now` has the number of each item of that
    snapshot here, −1 if the picture is gone. Also returns the rows of `queries` that were searched anew.
    """
    width = depth + SPARE
    row_of = np.full(len(units), -1, dtype=np.int64)
    row_of[now[asked][now[asked] >= 0]] = np.flatnonzero(now[asked] >= 0)
    rows = row_of[queries]
    fresh = np.setdiff1d(among, now[now >= 0])
    items, squared, horizon = _renumber(before, rows, now, among, len(units))
    if len(fresh):
        new, asking = _rows(units, fresh), units[queries]
        most = min(width, _count_within(new, asking, horizon))
        places, new_squared = nearest(new, asking, most + 1)
        items = np.concatenate([items, fresh[places]], axis=1)
        squared = np.concatenate([squared, new_squared], axis=1)
        if places.shape[1] < len(fresh):  # the other new items are no nearer
            horizon = np.minimum(horizon, new_squared[:, -1])
    gone = (items == queries[:, None]) | (squared >= horizon[:, None])
    items, squared = np.where(gone, -1, items), np.where(gone, np.inf, squared)
    order = np.lexsort((items, squared), axis=1)
    items, squared = _order(items, squared, order)
    lists = _narrow(Lists(items, squared, horizon), width)
    again = np.flatnonzero((rows < 0) | (np.isfinite(lists.horizon) & (_length(lists) < depth)))
    if len(again):
        anew = search_lists(units, among, queries[again], depth)
        for name in ("items", "squared", "horizon"):
            getattr(lists, name)[again] = getattr(anew, name)
    return lists, again


def match_keys(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> Items:
    """For each key of `before` the place of the same key in `now`, −1 if there is none. Repeated keys are
    matched in order: the first to the first, and so on."""
    numbers: dict[str, list[int]] = {}
    for place in range(len(now) - 1, -1, -1):
        numbers.setdefault(str(now[place]), []).append(place)
    return np.array(
        [places.pop() if (places := numbers.get(str(key))) else -1 for key in before],
        dtype=np.int64,
    )


def _renumber(
    before: Lists, rows: Items, now: Items, among: Items, count: int
) -> tuple[Items, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Another snapshot's lists under today's numbers, without images that are gone, for queries whose `rows`
    in that snapshot are given (−1: none)."""
    is_among = np.zeros(count + 1, dtype=bool)
    is_among[among] = True
    known = np.append(now, -1)  # item −1, nothing, stays nothing
    items = known[before.items[rows]]
    horizon = np.where(rows < 0, -np.inf, before.horizon[rows])
    beyond = before.squared[rows] >= horizon[:, None]
    items = np.where(beyond | ~is_among[items], -1, items)
    squared = np.where(items < 0, np.inf, before.squared[rows])
    return items, squared, horizon


def _count_within(units: Vectors, queries: Vectors, horizon: npt.NDArray[np.float64]) -> int:
    """A bound on the number of rows of `units` nearer than a query's horizon [n], over all queries [n]. It
    is counted by float32 products and seldom larger than needed."""
    lowest = 1 - horizon / 2 - cosine_error(units.shape[1])
    return int((queries @ units.T > lowest[:, None]).sum(axis=1).max(initial=0))


def _narrow(lists: Lists, width: int) -> Lists:
    """The first `width` entries. The horizon moves to the first entry that is left out."""
    if lists.items.shape[1] <= width:
        short = ((0, 0), (0, width - lists.items.shape[1]))
        items = np.pad(lists.items, short, constant_values=-1)
        return Lists(items, np.pad(lists.squared, short, constant_values=np.inf), lists.horizon)
    horizon = np.minimum(lists.horizon, lists.squared[:, width])
    return Lists(lists.items[:, :width].copy(), lists.squared[:, :width].copy(), horizon)


def _order(
    items: Items, squared: npt.NDArray[np.float64], order: Items
) -> tuple[Items, npt.NDArray[np.float64]]:
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _length(lists: Lists) -> Items:
    return np.asarray((lists.items >= 0).sum(axis=1))


def _rows(units: Vectors, items: Items) -> Vectors:
    """The rows of some items. If these are all items, `units` itself: a gather would copy it."""
    return units if len(items) == len(units) else units[items]
