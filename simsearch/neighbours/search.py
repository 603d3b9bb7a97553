"""The parallel search for every original's neighbours, by Annoy and by exact search.

Each task searches for a slice of the originals, in the vectors beside a space's index, mapped from disk.
The results are stored slice by slice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

from simsearch import schemas
from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours
from simsearch.neighbours.earlier import (
    AMONG,
    Earlier,
    column_of,
    lists_table,
    read_earlier,
)
from simsearch.neighbours.index_answers import search_by_index
from simsearch.neighbours.lists import Items, Lists, carry_lists, search_lists
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.layout import ORIGINALS, SEARCHES
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.growing import GrowingTable

QUERIES_PER_TASK = 512

# The lists of 512 originals are some 4 MB, which stay in Ray's object store until earlier ones are stored.
TASKS_AHEAD = 64


@dataclass(frozen=True)
class _SliceLists:
    """The neighbours of a slice of the originals: by exact search among all images and among the
    originals, and by the index among all images."""

    among_images: Lists
    among_originals: Lists
    annoy: Neighbours


def search_all(
    lists_of: Mapping[str, StoredLists],
    plan: Plan,
    images: pa.Table,
    numbered: NumberedImages,
    previous: Snapshot | None,
    advance: Callable[[int], None],
) -> None:
    """Search for every original in every space, and store the results. Exact search is spared where the
    lists of a `previous` snapshot give the same result. `advance` gets the number of finished queries."""
    originals = ray.put(numbered.originals)
    slices = _slices(numbered.originals)
    image_ids = images["image_id"].to_numpy()
    done = 0
    for space in plan.spaces:
        stored = lists_of[space.name]
        earlier = ray.put(None if previous is None else read_earlier(previous, space, images))
        search = partial(_search_slice.remote, stored, originals, earlier)
        with ExitStack() as stack:
            write = _Writing(stored, plan, image_ids, stack)
            for part, lists in zip(slices, _run_in_order(search, slices), strict=True):
                write(part, lists)
                done += len(part) * len(SEARCHES)
                advance(done)


def _slices(originals: Items) -> list[Items]:
    starts = range(0, len(originals), QUERIES_PER_TASK)
    return [originals[start : start + QUERIES_PER_TASK] for start in starts]


def _run_in_order(
    search: Callable[[Items], ray.ObjectRef[_SliceLists]], slices: Sequence[Items]
) -> Iterator[_SliceLists]:
    """The lists of the slices, in order. At most TASKS_AHEAD tasks are started ahead of the next slice."""
    waiting: deque[ray.ObjectRef[_SliceLists]] = deque()
    for part in slices:
        waiting.append(search(part))
        if len(waiting) > TASKS_AHEAD:
            yield ray.get(waiting.popleft())
    while waiting:
        yield ray.get(waiting.popleft())


class _Writing:
    """Stores a space's lists as they arrive."""

    def __init__(
        self, stored: StoredLists, plan: Plan, image_ids: npt.NDArray[Any], stack: ExitStack
    ) -> None:
        self._stored, self._image_ids = stored, image_ids
        self._shown = plan.settings.evaluate.neighbours
        snapshot, space = stored.snapshot, stored.space

        def table(path: str) -> GrowingTable:
            return stack.enter_context(GrowingTable(snapshot.storage, path))

        self._lists = [table(snapshot.lists_path(space, among)) for among in AMONG]
        self._annoy = table(stored.annoy_path)
        self._nearest = {
            name: table(snapshot.neighbours_path(space, name)) for name in (*SEARCHES, ORIGINALS)
        }

    def __call__(self, queries: Items, answer: _SliceLists) -> None:
        for table, lists in zip(
            self._lists, (answer.among_images, answer.among_originals), strict=True
        ):
            table.append(lists_table(lists))
        self._annoy.append(
            pa.table(
                [column_of(answer.annoy.items), column_of(answer.annoy.distances)],
                schema=schemas.annoy_lists(answer.annoy.items.shape[1]),
            )
        )
        shown = min(self._shown, self._stored.depth)
        shown_originals = min(NEIGHBOURHOOD_KS[-1], self._stored.depth_among_originals)
        neighbours = {
            "exact": answer.among_images.first(shown),
            "annoy": answer.annoy,
            ORIGINALS: answer.among_originals.first(shown_originals),
        }
        for name, table in self._nearest.items():
            table.append(
                neighbours_table(
                    self._stored.space, name, self._image_ids, queries, neighbours[name]
                )
            )


@ray.remote(num_cpus=TASKS["search"].cpus, max_retries=ENDLESS)
def _search_slice(
    stored: StoredLists,
    originals: Items,
    earlier: Earlier | None,
    queries: Items,
) -> _SliceLists:
    index = stored.index()
    units = index.units
    among = (np.arange(len(units)), originals)
    depths = (stored.depth, stored.depth_among_originals)
    among_images, among_originals = (
        _lists(units, items, queries, deep, earlier, place)
        for place, (items, deep) in enumerate(zip(among, depths, strict=True))
    )
    by_index = search_by_index(index, queries, stored.depth_by_index, among_images)
    return _SliceLists(among_images, among_originals, by_index)


def _lists(
    units: Vectors,
    among: Items,
    queries: Items,
    depth: int,
    earlier: Earlier | None,
    place: int,
) -> Lists:
    if earlier is None:
        return search_lists(units, among, queries, depth)
    lists, _ = carry_lists(
        earlier.lists[place], earlier.asked, earlier.now, units, among, queries, depth
    )
    return lists


def neighbours_table(
    space: str,
    search: str,
    image_ids: npt.NDArray[Any],
    queries: npt.NDArray[np.int64],
    retrieved: Neighbours,
) -> pa.Table:
    """schemas.NEIGHBOURS of one search: a row per query and rank. Rank 1 is the nearest."""
    rows, columns = np.nonzero(retrieved.items >= 0)
    return pa.table(
        {
            "space": pa.array([space] * len(rows), pa.string()),
            "search": pa.array([search] * len(rows), pa.string()),
            "query_id": pa.array(image_ids[queries[rows]], pa.string()),
            "rank": pa.array(columns + 1, pa.int32()),
            "neighbour_id": pa.array(image_ids[retrieved.items[rows, columns]], pa.string()),
            "distance": pa.array(retrieved.distances[rows, columns], pa.float32()),
        },
        schema=schemas.NEIGHBOURS,
    )
