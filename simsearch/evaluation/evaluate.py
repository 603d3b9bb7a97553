"""The parallel evaluation: what every feature space's neighbours are worth.

Once all spaces have answered, the near-duplicates they agree on are taken out, and one task per
space and search scores what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray

from simsearch import schemas
from simsearch.catalog import catalog
from simsearch.config import Config
from simsearch.evaluation.metrics import (
    Measured,
    pooled_rows,
    ranking_measures,
    scores_table,
    summary,
)
from simsearch.evaluation.neighbourhood import (
    label_matrix,
    near_duplicate_threshold,
    near_pairs,
    overlap,
)
from simsearch.evaluation.neighbours import Found, search_all
from simsearch.evaluation.numbering import (
    NEIGHBOURHOOD_KS,
    Collection,
    neighbourhood_scores,
    original_lists,
    rankings,
    study_scores,
)
from simsearch.evaluation.paired_tests import compare_spaces
from simsearch.evaluation.statistics import skewness_interval
from simsearch.images.perturbations import KINDS
from simsearch.indexes.exact import Neighbours, Vectors
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.layout import SEARCHES
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot

LABELS = {"artist": "artists", "classification": "classification", "subject": "subjects"}


def evaluate(
    config: Config, snapshot: Snapshot, previous: Snapshot | None, advance: Callable[[int], None]
) -> pa.Table:
    """Store neighbours, scores, comparisons and near-duplicates; returns the metrics.

    `previous`: a snapshot whose neighbour lists are carried over, with the same result. `advance` is told the number of queries answered so far, over all spaces and both searches.
    """
    plan = snapshot.plan()
    images = snapshot.images()
    collection = Collection.of(images, plan.profiles)
    found = search_all(snapshot, plan, images, collection, previous, advance)
    collection = collection.with_near(_store_near_duplicates(snapshot, images, collection, found))
    labels = _labels(snapshot, plan, images, collection)
    metrics, scores = _score_all(config, plan, images, collection, labels, found)
    metrics = pa.concat_tables([metrics, _overlaps(config, plan, collection, found)])
    compared = compare_spaces(scores, resamples=plan.settings.evaluate.bootstrap, seed=config.seed)
    for path, table in (
        (snapshot.scores_path, scores),
        (snapshot.comparisons_path, compared),
        (snapshot.metrics_path, metrics),  # last: it says that the evaluation is whole
    ):
        snapshot.storage.write_table(path, table)
    return metrics


def _store_near_duplicates(
    snapshot: Snapshot,
    images: pa.Table,
    collection: Collection,
    found: Mapping[str, ray.ObjectRef[Found]],
) -> list[tuple[int, int]]:
    """List the near-duplicates in the collection itself; returns them as places in `originals`."""
    lists, thresholds = {}, {}
    for space, reference in found.items():
        answer: Found = ray.get(reference)
        lists[space] = (
            original_lists(collection, answer.originals, answer.originals.items.shape[1]),
            answer.originals.distances,
        )
        thresholds[space] = near_duplicate_threshold(_nearest_copy(collection, answer.exact))
    pairs = near_pairs(lists, thresholds)
    ids = images["artwork_id"].to_numpy()[collection.originals]
    rows = [
        {
            "artwork_id": ids[one],
            "other_id": ids[two],
            "space": space,
            "distance": distance,
            "threshold": thresholds[space],
        }
        for (one, two), apart in pairs.items()
        for space, distance in apart.items()
    ]
    table = pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)
    snapshot.storage.write_table(snapshot.near_duplicates_path, table)
    return list(pairs)


def _nearest_copy(collection: Collection, found: Neighbours) -> Vectors:
    """How far each original that has copies is from the nearest of them."""
    asked = collection.artworks[collection.originals][:, None]
    own = (collection.artworks[found.items] == asked) & (found.items >= 0)
    apart = np.where(own, found.distances, np.float32(np.inf))
    return np.asarray(apart.min(axis=1, initial=np.inf)[collection.measured])


def _labels(
    snapshot: Snapshot, plan: Plan, images: pa.Table, collection: Collection
) -> dict[str, Any]:
    _, table = catalog.load_catalog(snapshot.storage, plan.catalog_id)
    rows = {row["artwork_id"]: row for row in table.to_pylist()}
    ids = images["artwork_id"].to_numpy()[collection.originals]
    found = {}
    for name, column in LABELS.items():
        values = [rows[one][column] or [] for one in ids]
        found[name] = label_matrix([[v] if isinstance(v, str) else v for v in values])
    return found


def _score_all(
    config: Config,
    plan: Plan,
    images: pa.Table,
    collection: Collection,
    labels: Mapping[str, Any],
    found: Mapping[str, ray.ObjectRef[Found]],
) -> tuple[pa.Table, pa.Table]:
    ids = images["artwork_id"].to_numpy()[collection.originals]
    shared = ray.put(_Given(plan, config.seed, collection, labels, ids[collection.measured]))
    tables = ray.get(
        [
            _score.remote(shared, space, search, reference)
            for space, reference in found.items()
            for search in SEARCHES
        ]
    )
    metrics, scores = zip(*tables, strict=True)
    return (
        pa.concat_tables([schemas.METRICS.empty_table(), *metrics]),
        pa.concat_tables([schemas.SCORES.empty_table(), *scores]),
    )


@dataclass(frozen=True)
class _Given:
    """What every scoring task needs; `ids` are of the originals that have copies."""

    plan: Plan
    seed: int
    collection: Collection
    labels: Mapping[str, Any]
    ids: npt.NDArray[Any]


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _score(given: _Given, space: str, search: str, found: Found) -> tuple[pa.Table, pa.Table]:
    plan, collection = given.plan, given.collection
    settings: Any = {
        "space": space,
        "search": search,
        "bootstrap": plan.settings.evaluate.bootstrap,
        "seed": given.seed,
    }
    measured: list[Measured] = []
    pooled = []
    if plan.profiles:
        measured += study_scores(collection, found.among(search), plan.settings.evaluate.ks)
        for group, ranking, pool in rankings(
            collection, found.among(search), plan.settings.evaluate.depth
        ):
            measured += ranking_measures(group, ranking)
            pooled.append(pooled_rows(group, ranking.hits.shape[1], pool, **settings))
    kept = [
        each for each in measured if each.group in ("all", *KINDS) and each.metric != "recall_curve"
    ]
    scores = scores_table(kept, space=space, search=search, artwork_ids=list(given.ids))
    lists = original_lists(collection, found.among_originals(search), NEIGHBOURHOOD_KS[-1])
    *labelled, occurrence = neighbourhood_scores(lists, given.labels)
    hubs = _hubness(occurrence, **settings)
    metrics = [summary([*measured, *labelled], **settings), *pooled, hubs]
    return pa.concat_tables(metrics), scores


def _hubness(
    occurrence: Measured, *, space: str, search: str, bootstrap: int, seed: int
) -> pa.Table:
    """schemas.METRICS: the skewness of how often each original is a neighbour of the others; `std` is
    that of the occurrences themselves."""
    n = len(occurrence.values)
    value, low, high = skewness_interval(occurrence.values, resamples=bootstrap, seed=seed)
    row = {
        "space": space,
        "search": search,
        "group": occurrence.group,
        "k": occurrence.k,
        "metric": "hubness",
        "mean": value,
        "std": float(occurrence.values.std()),
        "ci_low": low,
        "ci_high": high,
        "ceiling": max(0.0, (n - 2) / max(1, n - 1) ** 0.5),  # one hub for all
        "n": n,
    }
    return pa.Table.from_pylist([row], schema=schemas.METRICS)


def _overlaps(
    config: Config,
    plan: Plan,
    collection: Collection,
    found: Mapping[str, ray.ObjectRef[Found]],
) -> pa.Table:
    """How far each two spaces agree on the nearest originals."""
    k = NEIGHBOURHOOD_KS[-1]
    tables = [schemas.METRICS.empty_table()]
    for search in SEARCHES:
        lists = {
            space: original_lists(collection, ray.get(one).among_originals(search), k)
            for space, one in found.items()
        }
        for first, second in combinations(lists, 2):
            shared = overlap(lists[first], lists[second], k)
            measured = Measured(second, k, "neighbour_overlap", shared, np.ones(len(shared)))
            tables.append(
                summary(
                    [measured],
                    space=first,
                    search=search,
                    bootstrap=plan.settings.evaluate.bootstrap,
                    seed=config.seed,
                )
            )
    return pa.concat_tables(tables)
