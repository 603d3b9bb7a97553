"""Which artworks of a collection show the same picture, as its spaces judge."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import schemas
from simsearch.features.collapse import SAMPLE, Spread, spread_of
from simsearch.features.near_threshold import LARGEST_GROUP, near_duplicate_threshold
from simsearch.features.vectors import Vectors
from simsearch.images.perturbations import mildest
from simsearch.indexes.exact import Neighbours, pair_distances
from simsearch.neighbours.close_pairs import ClosePairs, agreed_pairs, close_pairs
from simsearch.neighbours.deeper import DeepSearch
from simsearch.neighbours.earlier import AMONG, read_lists
from simsearch.neighbours.lists import Items
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.plan import Plan

log = logging.getLogger(__name__)

# Of so many artworks that show one picture each pair is listed, 1,770 pairs; of more, each with the first.
MOST_PAIRED = 60


@dataclass(frozen=True)
class Judgement:
    """A space's view of the collection: how far it tells pictures apart, its threshold for
    near-duplicates, and the pairs of originals that are within it, where it has a say."""

    spread: Spread
    threshold: float
    close: ClosePairs


@dataclass(frozen=True)
class NearDuplicates:
    """The near-duplicates of a collection: `table` of schemas.NEAR_DUPLICATES; `spreads` by space."""

    table: pa.Table
    spreads: Mapping[str, Spread]


def find_near_duplicates(
    plan: Plan,
    ids: npt.NDArray[np.object_],
    numbered: NumberedImages,
    lists_of: Mapping[str, StoredLists],
) -> NearDuplicates:
    """The near-duplicates among the originals, whose artworks are `ids` [n]."""
    shared = ray.put(numbered)
    trained = lists_of.keys() - plan.untrained
    pending = {
        space: _judge.remote(shared, lists_of[space], space in trained, plan.seed)
        for space in lists_of
    }
    judgements: dict[str, Judgement] = {space: ray.get(task) for space, task in pending.items()}
    spreads = {space: judgement.spread for space, judgement in judgements.items()}
    for space, spread in spreads.items():
        if spread.collapsed:
            log.warning(
                "neighbours: %s does not tell pictures apart: %s; it has no say in near-duplicates and is "
                "not advised",
                space,
                spread.collapsed,
            )
    # What random numbers find near says nothing. Where nothing else ran, only equal vectors are near.
    apart = [space for space, spread in spreads.items() if not spread.collapsed]
    judges = [space for space in apart if space in trained] or apart
    codes, distances = agreed_pairs({space: judgements[space].close for space in judges})
    pairs = np.stack(np.divmod(codes, max(1, len(ids))), axis=1)
    thresholds = {space: judgements[space].threshold for space in judges or judgements}
    return NearDuplicates(_table(numbered, ids, pairs, distances, thresholds), spreads)


def listed_pairs(table: pa.Table, ids: npt.NDArray[np.object_]) -> Items:
    """The pairs of artworks [p, 2] that a table of schemas.NEAR_DUPLICATES lists, as places in `ids`."""
    artworks = pa.array(ids, pa.string())
    both = (table[name].combine_chunks() for name in ("artwork_id", "other_id"))
    columns = [pc.index_in(column, value_set=artworks).to_numpy() for column in both]
    return np.stack(columns, axis=1).astype(np.int64)


def _table(
    numbered: NumberedImages,
    ids: npt.NDArray[np.object_],
    pairs: Items,
    distances: Mapping[str, Vectors],
    thresholds: Mapping[str, float],
) -> pa.Table:
    """schemas.NEAR_DUPLICATES of pairs of pictures: each pair of artworks that show them, and of those
    that show the same one."""
    groups = _groups(numbered)
    listed = [schemas.NEAR_DUPLICATES.empty_table()]
    same = [*_pairs_within(groups)]
    across = [_across(groups[first], groups[second]) for first, second in pairs.tolist()]
    places = np.concatenate([np.zeros((0, 2), np.int64), *same, *across])
    for space, threshold in thresholds.items():
        measured = np.repeat(distances.get(space, np.zeros(0)), [len(block) for block in across])
        equal = np.zeros(len(places) - len(measured))
        columns = {
            "artwork_id": ids[places[:, 0]],
            "other_id": ids[places[:, 1]],
            "space": np.full(len(places), space, object),
            "distance": np.concatenate([equal, measured]).astype(np.float32),
            "threshold": np.full(len(places), threshold, np.float32),
        }
        listed.append(pa.table(columns, schema=schemas.NEAR_DUPLICATES))
    return pa.concat_tables(listed)


def _groups(numbered: NumberedImages) -> dict[int, Items]:
    """The places of all originals that show the same picture, by the first of them."""
    return {int(group[0]): group for group in numbered.by_picture().values()}


def _pairs_within(groups: Mapping[int, Items]) -> Iterator[Items]:
    for group in groups.values():
        if 1 < len(group) <= MOST_PAIRED:
            first, second = np.triu_indices(len(group), 1)
            yield np.stack([group[first], group[second]], axis=1)
        elif len(group) > 1:
            yield _across(group[:1], group[1:])


def _across(first: Items, second: Items) -> Items:
    """Each of some artworks with each of others; the first with the first where they are too many."""
    if len(first) > 1 and len(first) * len(second) > MOST_PAIRED**2:
        first, second = first[:1], second[:1]
    return np.stack([np.repeat(first, len(second)), np.tile(second, len(first))], axis=1)


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _judge(numbered: NumberedImages, stored: StoredLists, trained: bool, seed: int) -> Judgement:
    units = stored.index().units
    originals = numbered.originals
    lists = _different(numbered, stored.among_originals())
    copies = _nearest_copy(numbered, units)
    others = lists.distances[numbered.have_copies, :LARGEST_GROUP].astype(np.float64)
    spread = spread_of(
        units[originals],
        numbered.pictures[originals],
        seed,
        unmoved=_unmoved(numbered, units, seed),
        copies_apart=_copies_apart(copies, others),
    )
    if spread.collapsed:
        return Judgement(spread, 0.0, close_pairs(*_nothing(len(originals)), 0.0))
    threshold = near_duplicate_threshold(copies, others) if trained else 0.0
    close = close_pairs(lists.items, lists.distances, threshold)
    more = _deeper_pairs(numbered, stored, units, threshold)
    return Judgement(spread, threshold, close.with_more(more))


def _nothing(n: int) -> tuple[Items, Vectors]:
    return np.zeros((n, 0), np.int64), np.zeros((n, 0), np.float32)


def _first_of_picture(numbered: NumberedImages) -> Items:
    """For each original [n] the place of the first one that shows the same picture."""
    _, first, number = np.unique(
        numbered.pictures[numbered.originals], return_index=True, return_inverse=True
    )
    return np.asarray(first[number])


def _different(numbered: NumberedImages, retrieved: Neighbours) -> Neighbours:
    """Lists of originals, by their places, that hold each other picture once, under the first original that
    shows it, as rows of such originals alone; −1 and ∞ at the end."""
    first = _first_of_picture(numbered)
    places = numbered.places_of(retrieved.items)
    rows = np.arange(len(first))[:, None]
    left_out = (
        (places < 0) | (first[places] != places) | (first[rows] == places) | (first[rows] != rows)
    )
    order = np.argsort(left_out, axis=1, kind="stable")
    items = np.where(left_out, -1, places)
    distances = np.where(left_out, np.float32(np.inf), retrieved.distances)
    return Neighbours(
        np.take_along_axis(items, order, axis=1), np.take_along_axis(distances, order, axis=1)
    )


def _owners(numbered: NumberedImages, copies: Items) -> Items:
    """The place of the original of each of the items `copies`."""
    order = np.argsort(numbered.artworks[numbered.originals])
    sorted_artworks = numbered.artworks[numbered.originals][order]
    return np.asarray(order[np.searchsorted(sorted_artworks, numbered.artworks[copies])])


def _unmoved(numbered: NumberedImages, units: Vectors, seed: int) -> float:
    """The share, of a sample of the copies, that have the vector of their original; 1 where there are none."""
    copies = np.flatnonzero(numbered.profiles >= 0)
    if not len(copies):
        return 1.0
    if len(copies) > SAMPLE:
        copies = np.sort(np.random.default_rng(seed).choice(copies, SAMPLE, replace=False))
    owners = numbered.originals[_owners(numbered, copies)]
    both_zero = ~(units[owners].any(axis=1) | units[copies].any(axis=1))
    return float(((pair_distances(units, owners, copies) == 0) | both_zero).mean())


def _nearest_copy(numbered: NumberedImages, units: Vectors) -> npt.NDArray[np.float64]:
    """How far each original that has copies is from the nearest of the mildest ones."""
    mild = [numbered.names.index(name) for name in mildest(numbered.names)]
    copies = np.flatnonzero(np.isin(numbered.profiles, mild))
    owners = _owners(numbered, copies)
    nearest = np.full(len(numbered.originals), np.inf)
    np.minimum.at(nearest, owners, pair_distances(units, numbered.originals[owners], copies))
    return nearest[numbered.have_copies]


def _copies_apart(copies: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float:
    """The median of the distances `copies` [n] as a share of the median distance from the nearest other
    picture, of `others` [n, k]; 1 where either is not known."""
    nearest = others.min(axis=1, initial=np.inf)
    nearest, copies = nearest[np.isfinite(nearest)], copies[np.isfinite(copies)]
    if not len(nearest) or not len(copies) or np.median(nearest) == 0:
        return 1.0
    return float(np.median(copies) / np.median(nearest))


def _deeper_pairs(
    numbered: NumberedImages, stored: StoredLists, units: Vectors, threshold: float
) -> ClosePairs:
    """The pairs within `threshold` of originals whose whole lists are within it."""
    lists = read_lists(stored.snapshot, stored.space, AMONG[1])
    kept = lists.first(stored.depth_among_originals).distances
    first = _first_of_picture(numbered)
    full = np.isfinite(lists.horizon) & (kept.max(axis=1, initial=0) <= threshold)
    rows = np.flatnonzero(full & (first == np.arange(len(first))))
    codes, distances = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    if len(rows):
        search = DeepSearch(units, numbered.originals[np.unique(first)], 0)
        for row in rows.tolist():
            near, apart = search.within(
                int(numbered.originals[row]), np.zeros(0, np.int64), threshold
            )
            others = numbered.places_of(near)
            codes.append(np.minimum(row, others) * len(first) + np.maximum(row, others))
            distances.append(apart)
    unique, place = np.unique(np.concatenate(codes), return_index=True)
    return ClosePairs(unique, np.concatenate(distances)[place], len(first))
