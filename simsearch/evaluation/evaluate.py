"""The parallel evaluation: neighbours of every original, by Annoy and by exact search, and metrics.

Per backbone the vectors are read once into Ray's object store and shared by tasks that each search
for a slice of the originals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

from simsearch import feature_store, schemas
from simsearch.config import Config
from simsearch.evaluation.metrics import hit_profiles, metrics_table
from simsearch.feature_space import FeatureSpace
from simsearch.index import (
    Neighbours,
    Vectors,
    annoy_search,
    exact_search,
    open_index,
    unit_rows,
)
from simsearch.snapshots import Plan, Snapshot

SEARCHES = ("annoy", "exact")
QUERIES_PER_TASK = 512
LOAD_CPUS = 0.5
SEARCH_CPUS = 0.5


def neighbours_path(snapshot: Snapshot, backbone: str, search: str) -> str:
    return snapshot.path(f"neighbours/{backbone}.{search}.parquet")


def metrics_path(snapshot: Snapshot) -> str:
    return snapshot.path("metrics/metrics.parquet")


def evaluate(config: Config, snapshot: Snapshot, advance: Callable[[int], None]) -> pa.Table:
    """Store neighbours and metrics of every backbone; returns the metrics (schemas.METRICS).

    `advance` is told the number of queries answered so far, over all backbones and both searches.
    """
    plan = snapshot.plan()
    images = snapshot.images()
    originals = np.flatnonzero(images["profile"].is_null().to_numpy())
    slices = [
        originals[start : start + QUERIES_PER_TASK]
        for start in range(0, len(originals), QUERIES_PER_TASK)
    ]
    tables = []
    done = 0
    for space in plan.spaces:
        units = _load_units.remote(snapshot, space, images)
        pending = {
            _search_slice.remote(snapshot, space, units, part, plan.evaluate["neighbours"]): number
            for number, part in enumerate(slices)
        }
        answers: dict[int, dict[str, Neighbours]] = {}
        waiting = list(pending)
        while waiting:
            (ready,), waiting = ray.wait(waiting, num_returns=1)
            answers[pending[ready]] = ray.get(ready)
            done += len(slices[pending[ready]]) * len(SEARCHES)
            advance(done)
        ordered = [answers[number] for number in range(len(slices))]
        tables.extend(_finish(config, snapshot, plan, space, images, originals, ordered))
    metrics = pa.concat_tables([schemas.METRICS.empty_table(), *tables])
    snapshot.storage.write_table(metrics_path(snapshot), metrics)
    return metrics


@ray.remote(num_cpus=LOAD_CPUS)
def _load_units(snapshot: Snapshot, space: FeatureSpace, images: pa.Table) -> Vectors:
    return unit_rows(feature_store.read_vectors(snapshot.storage, space, images))


@ray.remote(num_cpus=SEARCH_CPUS)
def _search_slice(
    snapshot: Snapshot,
    space: FeatureSpace,
    units: Vectors,
    queries: npt.NDArray[np.int64],
    neighbours: int,
) -> dict[str, Neighbours]:
    index = open_index(
        snapshot.storage, snapshot.index_folder(space.backbone), space.fingerprint, verify=False
    )
    n = neighbours + 1  # the query finds itself
    found = {
        "annoy": annoy_search(
            index.annoy, [int(item) for item in queries], n, index.manifest.search_k
        ),
        "exact": exact_search(units, units[queries], n),
    }
    return {search: drop_query(each, queries, neighbours) for search, each in found.items()}


def drop_query(found: Neighbours, queries: npt.NDArray[np.int64], n: int) -> Neighbours:
    """The first `n` of each row without the query itself, by its item number.

    A copy at distance 0 may come before the query: dropping the first place would lose it.
    """
    items = np.full((len(queries), n), -1, dtype=np.int64)
    distances = np.full((len(queries), n), np.inf, dtype=np.float32)
    for row, query in enumerate(queries):
        kept = np.flatnonzero((found.items[row] != query) & (found.items[row] >= 0))[:n]
        items[row, : len(kept)] = found.items[row, kept]
        distances[row, : len(kept)] = found.distances[row, kept]
    return Neighbours(items, distances)


def _finish(
    config: Config,
    snapshot: Snapshot,
    plan: Plan,
    space: FeatureSpace,
    images: pa.Table,
    originals: npt.NDArray[np.int64],
    answers: Sequence[dict[str, Neighbours]],
) -> list[pa.Table]:
    image_ids = images["image_id"].to_numpy()
    tables = []
    for search in SEARCHES:
        merged = Neighbours(
            np.concatenate([answer[search].items for answer in answers]),
            np.concatenate([answer[search].distances for answer in answers]),
        )
        snapshot.storage.write_table(
            neighbours_path(snapshot, space.backbone, search),
            neighbours_table(space.backbone, image_ids, originals, merged),
        )
        if plan.profiles:
            tables.append(_metrics(config, plan, space, search, images, originals, merged))
    return tables


def neighbours_table(
    backbone: str,
    image_ids: npt.NDArray[Any],
    queries: npt.NDArray[np.int64],
    found: Neighbours,
) -> pa.Table:
    """schemas.NEIGHBOURS: one row per query and rank, rank 1 being the nearest."""
    rows, columns = np.nonzero(found.items >= 0)
    return pa.table(
        {
            "backbone": pa.array([backbone] * len(rows), pa.string()),
            "query_id": pa.array(image_ids[queries[rows]], pa.string()),
            "rank": pa.array(columns + 1, pa.int32()),
            "neighbour_id": pa.array(image_ids[found.items[rows, columns]], pa.string()),
            "distance": pa.array(found.distances[rows, columns], pa.float32()),
        },
        schema=schemas.NEIGHBOURS,
    )


def _metrics(
    config: Config,
    plan: Plan,
    space: FeatureSpace,
    search: str,
    images: pa.Table,
    originals: npt.NDArray[np.int64],
    found: Neighbours,
) -> pa.Table:
    """Recovery over the originals that have copies in the snapshot."""
    _, artworks = np.unique(images["artwork_id"].to_numpy(), return_inverse=True)
    numbers = {profile: number for number, profile in enumerate(plan.profiles)}
    profiles = np.array([numbers.get(one, -1) for one in images["profile"].to_pylist()], np.int16)
    relevant = np.bincount(artworks)[artworks[originals]] - 1
    measured = relevant > 0
    # Item −1, nothing found, reads the last place of each.
    artwork_of, profile_of = np.append(artworks, -1), np.append(profiles, np.int16(-1))
    items = found.items[measured]
    return metrics_table(
        backbone=space.backbone,
        search=search,
        hit_profiles=hit_profiles(
            artwork_of[items], profile_of[items], artworks[originals[measured]]
        ),
        relevant=relevant[measured],
        profiles=plan.profiles,
        ks=tuple(plan.evaluate["ks"]),
        bootstrap=plan.evaluate["bootstrap"],
        seed=config.seed,
    )
