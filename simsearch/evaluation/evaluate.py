"""The parallel evaluation of every feature space's neighbours.

Near-duplicates are left out, lists that become too short are searched again, and one task per space and
search scores the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import schemas
from simsearch.catalog.stored import load_catalog
from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import (
    Scores,
    hubness_rows,
    pooled_rows,
    ranking_measures,
    scores_table,
    summary,
)
from simsearch.evaluation.near_images import number_images
from simsearch.evaluation.neighbourhood import overlap
from simsearch.evaluation.paired_tests import COMPARED, compare_spaces
from simsearch.evaluation.scoring import (
    neighbourhood_scores,
    original_lists,
    rankings,
    study_scores,
)
from simsearch.images.perturbations import KINDS
from simsearch.neighbours.deepening import deepen_all
from simsearch.neighbours.index_answers import leave_out_near_duplicates
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.progress import Advance
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.held_out import HeldOut, find_held_out
from simsearch.snapshots.layout import SEARCHES
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.growing import GrowingTable

log = logging.getLogger(__name__)

LABELS = {"artist": "artists", "classification": "classification", "subject": "subjects"}


def evaluate(snapshot: Snapshot, advance: Advance) -> None:
    """Store metrics, scores and comparisons of a snapshot in which originals have copies.

    `advance` gets the number of scored queries, over all spaces and both searches.
    """
    plan, images = snapshot.plan(), snapshot.images()
    numbered = number_images(snapshot, images, plan.profiles)
    lists_of = StoredLists.of_all(snapshot, plan, numbered)
    ids = images["artwork_id"].to_numpy()[numbered.originals]
    deepen_all(ray.put(numbered), lists_of, plan.seed)
    labels = _labels(snapshot, plan, ids, numbered)
    asked = find_held_out(snapshot.storage, plan, images)
    if not asked.enough:
        log.warning("evaluate: %s", asked.words)
    given = _Given(plan, numbered, labels, asked)
    shared = ray.put(given)
    copied = ids[numbered.have_copies]
    metrics, compared = _score_all(snapshot, given, shared, copied, lists_of, advance)
    metrics = pa.concat_tables([metrics, *_overlaps(given, shared, lists_of)])
    _store(snapshot, metrics, compared)


def store_unscored(snapshot: Snapshot) -> None:
    """Store the tables of a snapshot without copies: no scores, and only the metrics of how well each space
    distinguishes pictures."""
    snapshot.storage.write_table(snapshot.scores_path, schemas.SCORES.empty_table())
    _store(snapshot, schemas.METRICS.empty_table(), schemas.COMPARISONS.empty_table())


def _store(snapshot: Snapshot, metrics: pa.Table, compared: pa.Table) -> None:
    spreads = snapshot.storage.read_table(snapshot.spreads_path)
    snapshot.storage.write_table(snapshot.comparisons_path, compared)
    # Stored last: this table says that the evaluation is complete.
    metrics = pa.concat_tables([metrics, spreads])
    snapshot.storage.write_table(snapshot.metrics_path, metrics)


def _labels(
    snapshot: Snapshot, plan: Plan, ids: npt.NDArray[Any], numbered: NumberedImages
) -> dict[str, Labels]:
    table = load_catalog(snapshot.storage, plan.catalog_id).table
    rows = table.take(pc.index_in(pa.array(ids), value_set=table["artwork_id"].combine_chunks()))
    labels = {}
    for name, column in LABELS.items():
        values = (value or [] for value in rows[column].to_pylist())
        listed = [[v] if isinstance(v, str) else v for v in values]
        labels[name] = Labels.of(listed, numbered.near_groups())
    return labels


@dataclass(frozen=True)
class _Given:
    """The data that every scoring task needs."""

    plan: Plan
    numbered: NumberedImages
    labels: Mapping[str, Labels]
    held_out: HeldOut

    def settings(self, space: str, search: str) -> dict[str, Any]:
        bootstrap = self.plan.settings.evaluate.bootstrap
        return {"space": space, "search": search, "bootstrap": bootstrap, "seed": self.plan.seed}


def _score_all(
    snapshot: Snapshot,
    given: _Given,
    shared: ray.ObjectRef[_Given],
    ids: npt.NDArray[Any],
    lists_of: Mapping[str, StoredLists],
    advance: Advance,
) -> tuple[pa.Table, pa.Table]:
    """The metrics and the comparisons. Single scores are stored as they arrive. `ids` are those of the
    originals with copies."""
    pending = {
        (space, search): _score.remote(shared, stored, search)
        for space, stored in lists_of.items()
        for search in SEARCHES
    }
    tables, compared = [schemas.METRICS.empty_table()], [schemas.SCORES.empty_table()]
    done = 0
    with GrowingTable(snapshot.storage, snapshot.scores_path) as growing:
        growing.append(schemas.SCORES.empty_table())
        for space, search in list(pending):
            metrics, scores = ray.get(pending.pop((space, search)))
            done += len(ids)
            advance(done)
            tables.append(metrics)
            for score in scores:
                rows = scores_table([score], space=space, search=search, artwork_ids=list(ids))
                growing.append(rows)
                if search == "exact" and score.metric in COMPARED:
                    compared.append(rows)
    bootstrap = given.plan.settings.evaluate.bootstrap
    comparisons = compare_spaces(
        pa.concat_tables(compared), resamples=bootstrap, seed=given.plan.seed
    )
    return pa.concat_tables(tables), comparisons


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _score(given: _Given, stored: StoredLists, search: str) -> tuple[pa.Table, list[Scores]]:
    """The metrics of one space and search, and its single scores, without their ceilings. The index is
    scored only as deep as users search it. Whole rankings, labels and hubs are scored by exact search
    alone."""
    plan, numbered = given.plan, given.numbered
    settings = given.settings(stored.space, search)
    scores: list[Scores] = []
    tables = []
    neighbours, beyond = stored.ranked() if search == "exact" else (stored.by_index(), None)
    if search == "annoy":
        neighbours = leave_out_near_duplicates(stored.index, numbered, neighbours)
    scores += study_scores(numbered, neighbours, plan.settings.evaluate.ks, beyond)
    if search == "exact":
        depth = plan.settings.evaluate.depth
        for group, ranking, pool in rankings(numbered, neighbours, depth, beyond):
            scores += ranking_measures(group, ranking)
            tables.append(pooled_rows(group, ranking.hits.shape[1], pool, **settings))
    kept = [
        replace(score, ceiling=np.zeros(0))
        for score in scores
        if score.group in ("all", *KINDS) and score.metric != "recall_curve"
    ]
    if search == "exact" and given.held_out.enough:
        lists = _lists(given, stored)
        *labelled, occurrence = neighbourhood_scores(lists, given.labels)
        scores += labelled
        tables.append(hubness_rows(occurrence, **settings))
    return pa.concat_tables([summary(scores, **settings), *tables]), kept


def _lists(given: _Given, stored: StoredLists) -> npt.NDArray[np.int64]:
    """The nearest other originals of each original, with ties in an order that the space's seed decides.
    Originals that are not held out have empty lists."""
    nearest = stored.ranked_originals()
    seed = stored.tie_seed(given.plan.seed)
    lists = original_lists(given.numbered, nearest, NEIGHBOURHOOD_KS[-1], seed)
    lists[~given.held_out.places] = -1
    return lists


def _overlaps(
    given: _Given, shared: ray.ObjectRef[_Given], lists_of: Mapping[str, StoredLists]
) -> list[pa.Table]:
    """schemas.METRICS of how far each two spaces agree on the nearest originals, by exact search."""
    if not given.held_out.enough:
        return []
    pending = [
        _overlap.remote(shared, lists_of[first], lists_of[second])
        for first, second in combinations(lists_of, 2)
    ]
    return ray.get(pending)


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _overlap(given: _Given, left: StoredLists, right: StoredLists) -> pa.Table:
    k = NEIGHBOURHOOD_KS[-1]
    asked = given.held_out.places
    first, second = (_lists(given, stored)[asked] for stored in (left, right))
    others_left = (first >= 0).any(axis=1) | (second >= 0).any(
        axis=1
    )  # others than near-duplicates
    shared = overlap(first[others_left], second[others_left], k)
    scores = Scores(right.space, k, "neighbour_overlap", shared, np.ones(len(shared)))
    return summary([scores], **given.settings(left.space, "exact"))
