"""A snapshot's images as numbers, and the neighbour lists of its originals turned into scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import Scores, hit_profiles, study_measures
from simsearch.evaluation.neighbourhood import k_occurrence, label_precision
from simsearch.evaluation.ranking import PooledPairs, Ranking, pool_pairs, ranking_of
from simsearch.images.perturbations import KINDS, get_profile
from simsearch.indexes.exact import Neighbours

NEIGHBOURHOOD_KS = (1, 5, 10)

Items = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NumberedImages:
    """The images of a snapshot by item number.

    `artworks` int64 [items] numbers each image's artwork, `profiles` int16 [items] its profile (−1:
    an original), `originals` int64 [n] are the items that are originals, `near` int64 [p] the pairs
    of near-duplicate artworks a, b as a × artworks + b, in both orders.
    """

    names: tuple[str, ...]
    artworks: Items
    profiles: npt.NDArray[np.int16]
    originals: Items
    near: Items

    @classmethod
    def of(cls, images: pa.Table, names: Sequence[str]) -> NumberedImages:
        """Number the rows of `images` (schemas.IMAGES) with the profiles `names`; near-duplicates are not
        known yet."""
        _, artworks = np.unique(images["artwork_id"].to_numpy(), return_inverse=True)
        numbers = {profile: number for number, profile in enumerate(names)}
        profiles = np.array(
            [numbers.get(profile, -1) for profile in images["profile"].to_pylist()], np.int16
        )
        originals = np.flatnonzero(profiles < 0)
        return cls(tuple(names), artworks, profiles, originals, np.zeros(0, np.int64))

    def with_near(self, pairs: Iterable[tuple[int, int]]) -> NumberedImages:
        """The same with pairs of near-duplicate originals, by their place in `originals`."""
        listed = np.array(list(pairs), np.int64).reshape(-1, 2)
        first, second = (self.artworks[self.originals[column]] for column in listed.T)
        near = np.concatenate([self._pair(first, second), self._pair(second, first)])
        return NumberedImages(self.names, self.artworks, self.profiles, self.originals, near)

    def _pair(self, first: Items, second: Items) -> Items:
        return np.asarray(first * (self.artworks.max(initial=0) + 1) + second)

    @property
    def have_copies(self) -> npt.NDArray[np.bool_]:
        """Which originals [n] have copies."""
        return self.relevant(range(len(self.names))) > 0

    def relevant(self, members: Iterable[int]) -> Items:
        """How many copies of the profiles `members` each original [n] has."""
        wanted = np.isin(self.profiles, np.array(list(members), np.int16))
        counts = np.bincount(self.artworks[wanted], minlength=self.artworks.max(initial=0) + 1)
        return np.asarray(counts[self.artworks[self.originals]])

    def groups(self) -> dict[str, list[int]]:
        """The groups of profiles that are scored, as numbers of profiles by the group's name: `all`, each
        kind of perturbation that has several profiles, and each profile."""
        groups = {"all": list(range(len(self.names)))}
        for kind in KINDS:
            members = [n for n, name in enumerate(self.names) if get_profile(name).kind == kind]
            if 1 < len(members) < len(self.names):
                groups[kind] = members
        if len(self.names) > 1:
            groups |= {name: [number] for number, name in enumerate(self.names)}
        return groups

    def near_to(self, items: Items, places: Items | None = None) -> npt.NDArray[np.bool_]:
        """Which of the `items` [n, k] retrieved for each original, or for those at `places` among the
        originals, are images of its near-duplicates, bool [n, k]."""
        queries = self.originals if places is None else self.originals[places]
        pairs = self._pair(self.artworks[queries][:, None], self.artworks[items])
        return np.isin(pairs, self.near) & (items >= 0)

    def near_images(self) -> Items:
        """How many images the near-duplicates of each original [n] have."""
        images = np.bincount(self.artworks, minlength=1)
        first, second = np.divmod(self.near, len(images))
        counts = np.zeros(len(images), np.int64)
        np.add.at(counts, first, images[second])
        return np.asarray(counts[self.artworks[self.originals]])


def study_scores(
    numbered: NumberedImages, retrieved: Neighbours, ks: Sequence[int]
) -> Iterator[Scores]:
    """The study's scores over the originals that have copies."""
    have_copies = numbered.have_copies
    # Item −1, nothing found, reads the last place of each.
    artwork_of = np.append(numbered.artworks, -1)
    profile_of = np.append(numbered.profiles, np.int16(-1))
    items = retrieved.items[have_copies]
    hits = hit_profiles(
        artwork_of[items],
        profile_of[items],
        numbered.artworks[numbered.originals[have_copies]],
    )
    relevant = numbered.relevant(range(len(numbered.names)))[have_copies]
    return study_measures(hits, relevant, numbered.names, ks)


def rankings(
    numbered: NumberedImages, retrieved: Neighbours, depth: int
) -> Iterator[tuple[str, Ranking, PooledPairs]]:
    """Every group's rankings over the originals that have copies, and the pool of all pairs."""
    have_copies = numbered.have_copies
    items = retrieved.items
    query_artworks = numbered.artworks[numbered.originals][:, None]
    own = (numbered.artworks[items] == query_artworks) & (items >= 0)
    profiles = np.where(items >= 0, numbered.profiles[items], np.int16(-1))
    foreign = (items < 0) | numbered.near_to(items)
    nothing = np.zeros(int((~have_copies).sum()), np.int64)
    others = ranking_of(
        retrieved.distances[~have_copies],
        own[~have_copies] & False,
        (foreign | own)[~have_copies],
        nothing,
        depth,
    ).distances
    for group, members in numbered.groups().items():
        wanted = own & np.isin(profiles, np.array(members, np.int16))
        junk = foreign | (own & ~wanted)
        ranking = ranking_of(
            retrieved.distances[have_copies],
            wanted[have_copies],
            junk[have_copies],
            numbered.relevant(members)[have_copies],
            depth,
        )
        yield group, ranking, pool_pairs(ranking, others)


def original_lists(numbered: NumberedImages, retrieved: Neighbours, k: int) -> Items:
    """The nearest other originals [n, k] of each original, by their place among the originals, −1
    where a list ends; near-duplicates are left out."""
    place_of = np.full(len(numbered.artworks) + 1, -1, np.int64)
    place_of[numbered.originals] = np.arange(len(numbered.originals))
    places = place_of[retrieved.items]
    junk = (places < 0) | numbered.near_to(retrieved.items)
    order = np.argsort(junk, axis=1, kind="stable")[:, :k]
    numbers = np.where(junk, -1, places)
    return np.asarray(np.take_along_axis(numbers, order, axis=1))


def neighbourhood_scores(lists: Items, labels: Mapping[str, Labels]) -> Iterator[Scores]:
    """`label_precision` and `label_chance` of each label, and `k_occurrence` per original.

    `lists` is of `original_lists`, `labels` by the label's name.
    """
    for name, shared in labels.items():
        for k in (k for k in NEIGHBOURHOOD_KS if k <= lists.shape[1]):
            hits, chance, ceiling = label_precision(lists, shared, k)
            if ceiling.any():
                yield Scores(name, k, "label_precision", hits, ceiling)
                yield Scores(name, k, "label_chance", chance, ceiling)
    # Annoy's lists, cut from longer ones, are as wide for a small collection as for a large one.
    k = min(NEIGHBOURHOOD_KS[-1], lists.shape[1], len(lists) - 1)
    occurrence = k_occurrence(lists, k)
    yield Scores(
        "originals", k, "k_occurrence", occurrence, np.full(len(occurrence), len(lists) - 1.0)
    )
