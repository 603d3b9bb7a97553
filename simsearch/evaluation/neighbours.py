"""The parallel search: every original's neighbours, by Annoy and by exact search.

Per space the vectors are read once into Ray's object store and shared by tasks that each search
for a slice of the originals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

from simsearch import schemas
from simsearch.evaluation.earlier import Earlier, read_earlier, store_lists
from simsearch.evaluation.lists import Items, Lists, carried, joined, searched
from simsearch.evaluation.numbering import NEIGHBOURHOOD_KS, Collection
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.indexes.exact import Neighbours, Vectors, unit_rows
from simsearch.indexes.index import open_index
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.layout import ORIGINALS, SEARCHES
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot

QUERIES_PER_TASK = 512

# Ranks searched beyond what is scored, to be left with enough once near-duplicates are out.
SPARE_RANKS = 50


@dataclass(frozen=True)
class Found:
    """What a space's searches gave for every original: `annoy` and `exact` among all images,
    `originals` by exact search among the originals alone."""

    annoy: Neighbours
    exact: Neighbours
    originals: Neighbours

    def among(self, search: str) -> Neighbours:
        return self.annoy if search == "annoy" else self.exact

    def among_originals(self, search: str) -> Neighbours:
        """Annoy's index holds the copies too: its answer is what remains of the longer list."""
        return self.annoy if search == "annoy" else self.originals


@dataclass(frozen=True)
class _Answer:
    """What was found for some originals, and their `lists` among all images and among originals."""

    found: Found
    lists: tuple[Lists, Lists]


def search_all(
    snapshot: Snapshot,
    plan: Plan,
    images: pa.Table,
    collection: Collection,
    previous: Snapshot | None,
    advance: Callable[[int], None],
) -> dict[str, ray.ObjectRef[Found]]:
    """Search for every original in every space and store its first neighbours; returns all of them
    per space, in Ray's object store. Exact search is spared where the lists of a `previous` snapshot
    say the same. `advance` is told the number of queries answered so far."""
    originals = collection.originals
    slices = [
        originals[start : start + QUERIES_PER_TASK]
        for start in range(0, len(originals), QUERIES_PER_TASK)
    ]
    scored = plan.settings.evaluate.depth + len(plan.profiles) if plan.profiles else 0
    depth = min(max(scored, plan.settings.evaluate.neighbours) + SPARE_RANKS, images.num_rows - 1)
    image_ids = images["image_id"].to_numpy()
    kept = {}
    done = 0
    for space in plan.spaces:
        units = _load_units.remote(snapshot, space, images)
        earlier = ray.put(None if previous is None else read_earlier(previous, space, images))
        pending = {
            _search_slice.remote(snapshot, space, units, originals, part, depth, earlier): number
            for number, part in enumerate(slices)
        }
        answers: dict[int, _Answer] = {}
        waiting = list(pending)
        while waiting:
            (ready,), waiting = ray.wait(waiting, num_returns=1)
            answers[pending[ready]] = ray.get(ready)
            done += len(slices[pending[ready]]) * len(SEARCHES)
            advance(done)
        in_order = [answers[number] for number in range(len(slices))]
        whole = _merge([answer.found for answer in in_order])
        store_lists(
            snapshot,
            space.name,
            (
                joined([answer.lists[0] for answer in in_order]),
                joined([answer.lists[1] for answer in in_order]),
            ),
        )
        for search in SEARCHES:
            first = plan.settings.evaluate.neighbours
            nearest = whole.among(search).first(first)
            snapshot.storage.write_table(
                snapshot.neighbours_path(space.name, search),
                neighbours_table(space.name, image_ids, originals, nearest),
            )
        snapshot.storage.write_table(
            snapshot.neighbours_path(space.name, ORIGINALS),
            neighbours_table(
                space.name, image_ids, originals, whole.originals.first(NEIGHBOURHOOD_KS[-1])
            ),
        )
        kept[space.name] = ray.put(whole)
    return kept


@ray.remote(num_cpus=TASKS["load"].cpus, max_retries=ENDLESS)
def _load_units(snapshot: Snapshot, space: FeatureSpace, images: pa.Table) -> Vectors:
    return unit_rows(feature_store.read_vectors(snapshot.storage, space, images))


@ray.remote(num_cpus=TASKS["search"].cpus, max_retries=ENDLESS)
def _search_slice(
    snapshot: Snapshot,
    space: FeatureSpace,
    units: Vectors,
    originals: npt.NDArray[np.int64],
    queries: npt.NDArray[np.int64],
    depth: int,
    earlier: Earlier | None,
) -> _Answer:
    index = open_index(
        snapshot.storage, snapshot.index_folder(space.name), space.fingerprint, verify=False
    )
    among = (np.arange(len(units)), originals)
    depths = (depth, min(NEIGHBOURHOOD_KS[-1] + SPARE_RANKS, len(originals) - 1))
    every, alone = (
        _lists(units, items, queries, deep, earlier, place)
        for place, (items, deep) in enumerate(zip(among, depths, strict=True))
    )
    annoy = index.near(queries, depth + 1)  # the query finds itself
    found = Found(
        annoy=drop_query(annoy, queries, depth),
        exact=every.first(depths[0]),
        originals=alone.first(depths[1]),
    )
    return _Answer(found, (every, alone))


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


def drop_query(found: Neighbours, queries: npt.NDArray[np.int64], n: int) -> Neighbours:
    """The first `n` of each row without the query itself, by its item number.

    A copy at distance 0 may come before the query: dropping the first place would lose it.
    """
    dropped = (found.items == queries[:, None]) | (found.items < 0)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :n]  # what is kept comes first
    gone = np.take_along_axis(dropped, order, axis=1)
    items = np.take_along_axis(found.items, order, axis=1)
    distances = np.take_along_axis(found.distances, order, axis=1)
    short = ((0, 0), (0, n - order.shape[1]))
    return Neighbours(
        np.pad(np.where(gone, -1, items), short, constant_values=-1),
        np.pad(np.where(gone, np.float32(np.inf), distances), short, constant_values=np.inf),
    )


def _merge(answers: Sequence[Found]) -> Found:
    return Found(
        *(
            Neighbours(
                np.concatenate([getattr(answer, name).items for answer in answers]),
                np.concatenate([getattr(answer, name).distances for answer in answers]),
            )
            for name in ("annoy", "exact", "originals")
        )
    )


def neighbours_table(
    space: str,
    image_ids: npt.NDArray[Any],
    queries: npt.NDArray[np.int64],
    found: Neighbours,
) -> pa.Table:
    """schemas.NEIGHBOURS: one row per query and rank, rank 1 being the nearest."""
    rows, columns = np.nonzero(found.items >= 0)
    return pa.table(
        {
            "space": pa.array([space] * len(rows), pa.string()),
            "query_id": pa.array(image_ids[queries[rows]], pa.string()),
            "rank": pa.array(columns + 1, pa.int32()),
            "neighbour_id": pa.array(image_ids[found.items[rows, columns]], pa.string()),
            "distance": pa.array(found.distances[rows, columns], pa.float32()),
        },
        schema=schemas.NEIGHBOURS,
    )
