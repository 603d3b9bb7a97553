"""How far each space tells the pictures of a collection apart, and which pictures it has near one another."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ray

from simsearch.features.collapse import SAMPLE, Spread, spread_of
from simsearch.features.vectors import Vectors
from simsearch.images.perturbations import mildest
from simsearch.indexes.exact import pair_distances
from simsearch.neighbours.candidates import nearest_pictures, pair_codes, spaces_asked
from simsearch.neighbours.lists import Items
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.snapshots.plan import Plan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judgement:
    """A space's view of the collection: how far it tells pictures apart, and its nearest pairs of pictures,
    as `candidates.pair_codes` gives them."""

    spread: Spread
    near: Items


def judge_spaces(
    plan: Plan, numbered: NumberedImages, lists_of: Mapping[str, StoredLists]
) -> dict[str, Judgement]:
    """Each space's judgement, by its name; a space that does not tell pictures apart is logged."""
    shared = ray.put(numbered)
    k = plan.settings.geometry.candidates
    pending = {
        space: _judge.remote(shared, lists, k, plan.seed) for space, lists in lists_of.items()
    }
    judgements: dict[str, Judgement] = {space: ray.get(task) for space, task in pending.items()}
    for space, judgement in judgements.items():
        if judgement.spread.collapsed:
            log.warning(
                "neighbours: %s does not tell pictures apart: %s; it is not advised",
                space,
                judgement.spread.collapsed,
            )
    return judgements


def candidates_of(plan: Plan, judgements: Mapping[str, Judgement]) -> Items:
    """The codes of all pairs of pictures that one of the `spaces_asked` has near one another."""
    collapsed = {space for space, own in judgements.items() if own.spread.collapsed}
    asked = spaces_asked(judgements, collapsed, plan.untrained)
    return np.unique(np.concatenate([np.zeros(0, np.int64), *(judgements[s].near for s in asked)]))


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _judge(numbered: NumberedImages, stored: StoredLists, k: int, seed: int) -> Judgement:
    units = stored.index().units
    originals = numbered.originals
    lists = nearest_pictures(numbered, stored.among_originals(), units, k)
    others = lists.distances[numbered.have_copies].astype(np.float64)
    spread = spread_of(
        units[originals],
        numbered.pictures[originals],
        seed,
        unmoved=_unmoved(numbered, units, seed),
        copies_apart=_copies_apart(_nearest_copy(numbered, units), others),
    )
    return Judgement(spread, pair_codes(numbered, lists.items))


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
