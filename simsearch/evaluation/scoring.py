"""Turn the neighbour lists of a snapshot's originals into scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import Scores, recovery_scores, study_measures
from simsearch.evaluation.neighbourhood import k_occurrence, label_precision
from simsearch.evaluation.pooling import PooledPairs, pool_pairs
from simsearch.evaluation.ranking import Ranking, ranking_of
from simsearch.images.perturbations import KINDS, get_profile
from simsearch.indexes.exact import Neighbours
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, Items, NumberedImages


@dataclass(frozen=True)
class _Retrieved:
    """The images retrieved for the originals with copies: `own` [m, k] marks their copies, `foreign` the
    images that are left out. `profiles` int16 has each image's profile."""

    numbered: NumberedImages
    distances: npt.NDArray[np.float32]
    own: npt.NDArray[np.bool_]
    foreign: npt.NDArray[np.bool_]
    profiles: npt.NDArray[np.int16]
    beyond: Items

    @classmethod
    def of(
        cls, numbered: NumberedImages, retrieved: Neighbours, beyond: Items | None
    ) -> _Retrieved:
        places = np.flatnonzero(numbered.have_copies)
        items, queries = retrieved.items[places], numbered.originals[places]
        own = numbered.artworks[items] == numbered.artworks[queries][:, None]
        return cls(
            numbered,
            retrieved.distances[places],
            own & (items >= 0),
            (items < 0) | numbered.near_to(items, places),
            np.where(items >= 0, numbered.profiles[items], np.int16(-1)),
            np.zeros(len(items), np.int64) if beyond is None else beyond[places],
        )

    def ranking(self, members: Sequence[int], depth: int, *, others_too: bool = False) -> Ranking:
        """The ranking in which the copies of the profiles `members` are relevant. The other copies are left
        out, or count as wrong with `others_too`."""
        wanted = self.own & np.isin(self.profiles, np.array(members, np.int16))
        junk = self.foreign if others_too else self.foreign | (self.own & ~wanted)
        relevant = self.numbered.relevant(members)[self.numbered.have_copies]
        return ranking_of(self.distances, wanted, junk, relevant, depth, self.beyond)


def profile_groups(names: Sequence[str]) -> dict[str, list[int]]:
    """The scored groups of the profiles `names`, as numbers of profiles by the group's name: `all`, each kind
    of perturbation with several profiles, and each profile."""
    numbers = {"all": list(range(len(names)))}
    for kind in KINDS:
        members = [n for n, name in enumerate(names) if get_profile(name).kind == kind]
        if 1 < len(members) < len(names):
            numbers[kind] = members
    if len(names) > 1:
        numbers |= {name: [number] for number, name in enumerate(names)}
    return numbers


def study_scores(
    numbered: NumberedImages,
    retrieved: Neighbours,
    ks: Sequence[int],
    beyond: Items | None = None,
) -> Iterator[Scores]:
    """The study's scores over the originals with copies. `beyond` [n] is that of `ranking_of`."""
    if not numbered.have_copies.any():
        return
    copies = _Retrieved.of(numbered, retrieved, beyond)
    everything = range(len(numbered.names))
    ranking = copies.ranking(everything, ks[-1])
    yield from study_measures(ranking, ks)
    for number, name in enumerate(numbered.names):
        single = copies.ranking([number], ks[-1], others_too=True)
        yield from recovery_scores(name, single, ranking.relevant, ks)


def rankings(
    numbered: NumberedImages, retrieved: Neighbours, depth: int, beyond: Items | None = None
) -> Iterator[tuple[str, Ranking, PooledPairs]]:
    """Every group's rankings over the originals with copies, and the pool of all pairs. `beyond` [n] is that
    of `ranking_of`."""
    without = np.flatnonzero(~numbered.have_copies)
    items, queries = retrieved.items[without], numbered.originals[without]
    own = numbered.artworks[items] == numbered.artworks[queries][:, None]
    junk = (items < 0) | own | numbered.near_to(items, without)
    nothing = np.zeros(len(without), np.int64)
    others = ranking_of(
        retrieved.distances[without], np.zeros_like(junk), junk, nothing, depth
    ).distances
    copies = _Retrieved.of(numbered, retrieved, beyond)
    for group, members in profile_groups(numbered.names).items():
        ranking = copies.ranking(members, depth)
        yield group, ranking, pool_pairs(ranking, others)


def original_lists(numbered: NumberedImages, retrieved: Neighbours, k: int, seed: int = 0) -> Items:
    """The nearest other originals [n, k] of each original, by their place among the originals, −1 where a
    list ends. Near-duplicates are left out. Equally distant originals are in a random order that follows
    from `seed`."""
    places = numbered.places_of(retrieved.items)
    junk = (places < 0) | numbered.near_to(retrieved.items)
    distances = np.where(junk, np.float32(np.inf), retrieved.distances)
    order = np.argsort(junk, axis=1, kind="stable")
    tied = _have_ties(np.take_along_axis(distances, order, axis=1)[:, : k + 1])
    shuffled = np.random.default_rng(seed).random((int(tied.sum()), junk.shape[1]))
    order[tied] = np.lexsort((shuffled, distances[tied], junk[tied]), axis=1)
    order = order[:, :k]
    numbers = np.where(junk, -1, places)
    return np.asarray(np.take_along_axis(numbers, order, axis=1))


def _have_ties(distances: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether each row of ascending `distances` [n, k] has equal ones."""
    equal = (distances[:, 1:] == distances[:, :-1]) & np.isfinite(distances[:, 1:])
    return np.asarray(equal.any(axis=1))


def neighbourhood_scores(lists: Items, labels: Mapping[str, Labels]) -> Iterator[Scores]:
    """`label_precision` and `label_chance` of each label, and `k_occurrence` per original.

    `lists` come from `original_lists`. `labels` are by the label's name.
    """
    for name, shared in labels.items():
        for k in (k for k in NEIGHBOURHOOD_KS if k <= lists.shape[1]):
            hits, chance, ceiling = label_precision(lists, shared, k)
            if ceiling.any():
                yield Scores(name, k, "label_precision", hits, ceiling)
                yield Scores(name, k, "label_chance", chance, ceiling)
    # Annoy's lists are cut from longer ones, so they are as wide for a small collection as for a large one.
    k = min(NEIGHBOURHOOD_KS[-1], lists.shape[1], len(lists) - 1)
    occurrence = k_occurrence(lists, k)
    yield Scores(
        "originals", k, "k_occurrence", occurrence, np.full(len(occurrence), len(lists) - 1.0)
    )
