"""Neighbour lists that are carried from one snapshot to the next, and which of them have to be searched
again.

A list holds all other images that are nearer to its original than its horizon, in order. Images that
are gone are taken out, new ones come in where they belong; a list that is too short afterwards is
searched again. What comes out equals a search of everything, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours, cosine_error, nearest

SPARE = 64  # entries beyond those needed, so that a list lasts some nights of removals

Items = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """Of each query [n]: `items` int64 [n, width] nearest first, by squared distance and then item
    number, never the query itself, −1 where the list ends; `squared` float64 [n, width] distances, ∞
    there; `horizon` float64 [n]: every other image nearer than this is in the list (∞: it holds all).
    What is as far as the horizon may be there, where it comes first today."""

    items: Items
    squared: npt.NDArray[np.float64]
    horizon: npt.NDArray[np.float64]

    def first(self, n: int) -> Neighbours:
        """The nearest `n`, of lists that hold so many or all."""
        items, short = self.items[:, :n], ((0, 0), (0, max(0, n - self.items.shape[1])))
        distances = np.sqrt(self.squared[:, :n]).astype(np.float32)
        return Neighbours(
            np.pad(items, short, constant_values=-1),
            np.pad(distances, short, constant_values=np.inf),
        )

    def rows(self, chosen: Items) -> Lists:
        return Lists(self.items[chosen], self.squared[chosen], self.horizon[chosen])


def searched(units: Vectors, among: Items, queries: Items, depth: int) -> Lists:
    """The lists of the items `queries`, of the items `among` [m], in ascending order, with at least
    `depth` entries where there are so many. `units` [items, d] are unit rows."""
    width = depth + SPARE
    # One for the query itself, one that tells where the horizon is.
    places, squared = nearest(_rows(units, among), units[queries], width + 2)
    items = among[places]
    itself = items == queries[:, None]
    items, squared = np.where(itself, -1, items), np.where(itself, np.inf, squared)
    order = np.argsort(itself, axis=1, kind="stable")  # itself last
    items, squared = _ordered(items, squared, order)
    return _narrowed(Lists(items, squared, np.full(len(queries), np.inf)), width)


def carried(
    before: Lists,
    asked: Items,
    now: Items,
    units: Vectors,
    among: Items,
    queries: Items,
    depth: int,
) -> tuple[Lists, Items]:
    """The same lists as `searched`, made of those of another snapshot where they serve.

    `before` are those of its items `asked` [q]; `now` [its items] is the number of each of them here,
    −1 where the picture is gone. Returns them with the rows of `queries` that were searched anew.
    """
    width = depth + SPARE
    row_of = np.full(len(units), -1, dtype=np.int64)
    row_of[now[asked][now[asked] >= 0]] = np.flatnonzero(now[asked] >= 0)
    rows = row_of[queries]
    fresh = np.setdiff1d(among, now[now >= 0])
    items, squared, horizon = _old(before, rows, now, among, len(units))
    if len(fresh):
        new, asking = _rows(units, fresh), units[queries]
        most = min(width, _most_within(new, asking, horizon))
        places, new_squared = nearest(new, asking, most + 1)
        items = np.concatenate([items, fresh[places]], axis=1)
        squared = np.concatenate([squared, new_squared], axis=1)
        if places.shape[1] < len(fresh):  # of the rest it is known that none is nearer
            horizon = np.minimum(horizon, new_squared[:, -1])
    gone = (items == queries[:, None]) | (squared >= horizon[:, None])
    items, squared = np.where(gone, -1, items), np.where(gone, np.inf, squared)
    order = np.lexsort((items, squared), axis=1)
    items, squared = _ordered(items, squared, order)
    lists = _narrowed(Lists(items, squared, horizon), width)
    again = np.flatnonzero((rows < 0) | (np.isfinite(lists.horizon) & (_length(lists) < depth)))
    if len(again):
        anew = searched(units, among, queries[again], depth)
        for name in ("items", "squared", "horizon"):
            getattr(lists, name)[again] = getattr(anew, name)
    return lists, again


def matched(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> Items:
    """Of each key of `before` the place of the same key in `now`, −1 where there is none; of keys that
    are there several times the first is the first's, and so on."""
    numbers: dict[str, list[int]] = {}
    for place in range(len(now) - 1, -1, -1):
        numbers.setdefault(str(now[place]), []).append(place)
    return np.array(
        [places.pop() if (places := numbers.get(str(key))) else -1 for key in before],
        dtype=np.int64,
    )


def _old(
    before: Lists, rows: Items, now: Items, among: Items, count: int
) -> tuple[Items, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lists of another snapshot under today's numbers, for queries whose `rows` there are given (−1:
    none); images that are not among today's taken out."""
    is_among = np.zeros(count + 1, dtype=bool)
    is_among[among] = True
    known = np.append(now, -1)  # item −1, nothing, stays nothing
    items = known[before.items[rows]]
    horizon = np.where(rows < 0, -np.inf, before.horizon[rows])
    beyond = before.squared[rows] >= horizon[:, None]
    items = np.where(beyond | ~is_among[items], -1, items)
    squared = np.where(items < 0, np.inf, before.squared[rows])
    return items, squared, horizon


def _most_within(units: Vectors, queries: Vectors, horizon: npt.NDArray[np.float64]) -> int:
    """At least as many as any query [n] has rows of `units` nearer than its horizon [n], and seldom more:
    counted by float32 products."""
    lowest = 1 - horizon / 2 - cosine_error(units.shape[1])
    return int((queries @ units.T > lowest[:, None]).sum(axis=1).max(initial=0))


def _narrowed(lists: Lists, width: int) -> Lists:
    """The first `width` entries, the horizon brought in to the first that is left out."""
    if lists.items.shape[1] <= width:
        short = ((0, 0), (0, width - lists.items.shape[1]))
        items = np.pad(lists.items, short, constant_values=-1)
        return Lists(items, np.pad(lists.squared, short, constant_values=np.inf), lists.horizon)
    horizon = np.minimum(lists.horizon, lists.squared[:, width])
    return Lists(lists.items[:, :width].copy(), lists.squared[:, :width].copy(), horizon)


def _ordered(
    items: Items, squared: npt.NDArray[np.float64], order: Items
) -> tuple[Items, npt.NDArray[np.float64]]:
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _length(lists: Lists) -> Items:
    return np.asarray((lists.items >= 0).sum(axis=1))


def _rows(units: Vectors, items: Items) -> Vectors:
    """The rows themselves where they are all: a gather would copy them."""
    return units if len(items) == len(units) else units[items]
