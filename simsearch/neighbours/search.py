"""The parallel search: every original's neighbours, by Annoy and by exact search.

Tasks each search for a slice of the originals, in the vectors that lie beside a space's index, mapped
from disk; what they find is stored slice by slice.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

from simsearch import schemas
from simsearch.features import store as feature_store
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.exact import Neighbours
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.neighbours.deeper import Deeper
from simsearch.neighbours.earlier import (
    AMONG,
    Earlier,
    column_of,
    lists_table,
    matrix_of,
    read_earlier,
    read_lists,
)
from simsearch.neighbours.index_answers import index_answers
from simsearch.neighbours.lists import Items, Lists, carried, searched
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.layout import ORIGINALS, SEARCHES
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.growing import GrowingTable

QUERIES_PER_TASK = 512

# Answers of 512 originals are some 4 MB, which stay in Ray's object store until those before are stored.
TASKS_AHEAD = 64

# Ranks searched beyond what is scored: few originals have more near-duplicates, and those are searched
# again (`deepen_all`).
SPARE_RANKS = 50


@dataclass(frozen=True)
class Answers:
    """A space's neighbour lists for every original, which lie in storage: they are read by the tasks that
    need them, so that no process and no object store holds those of all spaces."""

    snapshot: Snapshot
    space: str
    depth: int  # of exact lists among all images
    depth_among_originals: int  # of exact lists among the originals
    depth_by_index: int  # of the index's answers: as many as a user is shown
    needed: int  # how many images of an exact list are scored, near-duplicates left out

    def by_index(self) -> Neighbours:
        """The neighbours [originals, depth_by_index] among all images as the index answers."""
        table = self.snapshot.storage.read_table(self.annoy_path)
        return Neighbours(*(matrix_of(table, name) for name in ("items", "distances")))

    def among_originals(self) -> Neighbours:
        """The neighbours [originals, depth_among_originals] among the originals alone, by exact search."""
        return read_lists(self.snapshot, self.space, AMONG[1]).first(self.depth_among_originals)

    def ranked(self) -> tuple[Neighbours, Items]:
        """The neighbours [originals, depth] among all images by exact search, with the lists that
        `deepen_all` searched again, and how many more images are as far as the last of each [originals]."""
        lists = read_lists(self.snapshot, self.space, AMONG[0]).first(self.depth)
        return self._deepened(lists, AMONG[0])

    def ranked_originals(self) -> Neighbours:
        """`among_originals` with the lists that `deepen_all` searched again."""
        return self._deepened(self.among_originals(), AMONG[1])[0]

    def _deepened(self, lists: Neighbours, name: str) -> tuple[Neighbours, Items]:
        table = self.snapshot.storage.read_table(self.deeper_path(name))
        if not table.num_rows:
            return lists, np.zeros(len(lists.items), np.int64)
        items, distances = (matrix_of(table, column) for column in ("items", "distances"))
        rows, beyond = (table[column].to_numpy() for column in ("row", "beyond"))
        return Deeper(rows, Neighbours(items, distances), beyond).over(lists)

    def tie_seed(self, seed: int) -> int:
        """The seed of the order of ties, of the space's own: no two spaces agree by it."""
        return zlib.crc32(f"{seed} {self.space}".encode())

    def index(self) -> OpenIndex:
        """The space's index, whose files are trusted: this run has just written them."""
        space = self.snapshot.plan().space(self.space)
        folder = self.snapshot.index_folder(self.space)
        return open_index(self.snapshot.storage, folder, space.fingerprint, verify=False)

    def units(self, index: OpenIndex) -> Vectors:
        """The vectors [images, d] of length 1, mapped: the node's tasks share its pages, which the system
        may drop."""
        if index.units is not None:
            return index.units
        # Of an index from before vectors were kept beside it.
        space = self.snapshot.plan().space(self.space)
        return unit_rows(feature_store.read_vectors(self.snapshot.storage, space, index.images))

    @property
    def annoy_path(self) -> str:
        return self.snapshot.lists_path(self.space, "annoy")

    def deeper_path(self, name: str) -> str:
        """The path of the lists that `deepen_all` searched again, of those that AMONG names `name`."""
        return self.snapshot.lists_path(self.space, f"deeper-{name}")

    def forget(self) -> None:
        """Remove the lists that no later snapshot needs."""
        for path in (self.annoy_path, *map(self.deeper_path, AMONG)):
            self.snapshot.storage.delete(path)


@dataclass(frozen=True)
class _Answer:
    """The neighbours of a slice of the originals: by exact search among all images and among the
    originals, and by the index among all images."""

    among_images: Lists
    among_originals: Lists
    annoy: Neighbours


def search_all(
    snapshot: Snapshot,
    plan: Plan,
    images: pa.Table,
    numbered: NumberedImages,
    previous: Snapshot | None,
    advance: Callable[[int], None],
) -> dict[str, Answers]:
    """Search for every original in every space and store what is found. Exact search is spared where
    the lists of a `previous` snapshot say the same. `advance` is told the number of queries answered
    so far."""
    originals = ray.put(numbered.originals)
    slices = _slices(numbered.originals)
    scored = plan.settings.evaluate.depth + len(plan.profiles) if plan.profiles else 0
    needed = max(scored, plan.settings.evaluate.neighbours)
    depth = min(needed + SPARE_RANKS, images.num_rows - 1)
    depth_among_originals = min(NEIGHBOURHOOD_KS[-1] + SPARE_RANKS, len(numbered.originals) - 1)
    by_index = max(1, min(plan.settings.evaluate.neighbours, images.num_rows - 1))
    image_ids = images["image_id"].to_numpy()
    stored = {}
    done = 0
    for space in plan.spaces:
        answers = Answers(snapshot, space.name, depth, depth_among_originals, by_index, needed)
        earlier = ray.put(None if previous is None else read_earlier(previous, space, images))
        search = partial(_search_slice.remote, answers, originals, earlier)
        with ExitStack() as stack:
            write = _Writing(answers, plan, image_ids, stack)
            for part, answer in zip(slices, _in_order(search, slices), strict=True):
                write(part, answer)
                done += len(part) * len(SEARCHES)
                advance(done)
        stored[space.name] = answers
    return stored


def _slices(originals: Items) -> list[Items]:
    starts = range(0, len(originals), QUERIES_PER_TASK)
    return [originals[start : start + QUERIES_PER_TASK] for start in starts]


def _in_order(
    search: Callable[[Items], ray.ObjectRef[_Answer]], slices: Sequence[Items]
) -> Iterator[_Answer]:
    """The answers for the slices, in their order; at most TASKS_AHEAD tasks are started ahead of the
    answer that is waited for."""
    waiting: deque[ray.ObjectRef[_Answer]] = deque()
    for part in slices:
        waiting.append(search(part))
        if len(waiting) > TASKS_AHEAD:
            yield ray.get(waiting.popleft())
    while waiting:
        yield ray.get(waiting.popleft())


class _Writing:
    """Stores a space's answers as they come."""

    def __init__(
        self, answers: Answers, plan: Plan, image_ids: npt.NDArray[Any], stack: ExitStack
    ) -> None:
        self._answers, self._image_ids = answers, image_ids
        self._shown = plan.settings.evaluate.neighbours
        snapshot, space = answers.snapshot, answers.space

        def table(path: str) -> GrowingTable:
            return stack.enter_context(GrowingTable(snapshot.storage, path))

        self._lists = [table(snapshot.lists_path(space, among)) for among in AMONG]
        self._annoy = table(answers.annoy_path)
        self._nearest = {
            name: table(snapshot.neighbours_path(space, name)) for name in (*SEARCHES, ORIGINALS)
        }

    def __call__(self, queries: Items, answer: _Answer) -> None:
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
        shown = min(self._shown, self._answers.depth)
        shown_originals = min(NEIGHBOURHOOD_KS[-1], self._answers.depth_among_originals)
        neighbours = {
            "exact": answer.among_images.first(shown),
            "annoy": answer.annoy,
            ORIGINALS: answer.among_originals.first(shown_originals),
        }
        for name, table in self._nearest.items():
            table.append(
                neighbours_table(self._answers.space, self._image_ids, queries, neighbours[name])
            )


@ray.remote(num_cpus=TASKS["search"].cpus, max_retries=ENDLESS)
def _search_slice(
    answers: Answers,
    originals: Items,
    earlier: Earlier | None,
    queries: Items,
) -> _Answer:
    index = answers.index()
    units = answers.units(index)
    among = (np.arange(len(units)), originals)
    depths = (answers.depth, answers.depth_among_originals)
    among_images, among_originals = (
        _lists(units, items, queries, deep, earlier, place)
        for place, (items, deep) in enumerate(zip(among, depths, strict=True))
    )
    by_index = index_answers(index, queries, answers.depth_by_index, among_images)
    return _Answer(among_images, among_originals, by_index)


def _lists(
    units: Vectors,
    among: Items,
    queries: Items,
    depth: int,
    earlier: Earlier | None,
    place: int,
) -> Lists:
    if earlier is None:
        return searched(units, among, queries, depth)
    lists, _ = carried(
        earlier.lists[place], earlier.asked, earlier.now, units, among, queries, depth
    )
    return lists


def neighbours_table(
    space: str,
    image_ids: npt.NDArray[Any],
    queries: npt.NDArray[np.int64],
    retrieved: Neighbours,
) -> pa.Table:
    """schemas.NEIGHBOURS: one row per query and rank, rank 1 being the nearest."""
    rows, columns = np.nonzero(retrieved.items >= 0)
    return pa.table(
        {
            "space": pa.array([space] * len(rows), pa.string()),
            "query_id": pa.array(image_ids[queries[rows]], pa.string()),
            "rank": pa.array(columns + 1, pa.int32()),
            "neighbour_id": pa.array(image_ids[retrieved.items[rows, columns]], pa.string()),
            "distance": pa.array(retrieved.distances[rows, columns], pa.float32()),
        },
        schema=schemas.NEIGHBOURS,
    )
