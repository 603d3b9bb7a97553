"""A snapshot's images as numbers, and the neighbour lists of its originals turned into scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import Scores, recovered, study_measures
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
    an original), `pictures` int64 [items] the content that it shows or was made of, `originals` int64 [n]
    are the items that are originals, `near` int64 [p] the pairs of near-duplicate pictures a, b as
    a × items + b, in both orders, ascending. Artworks that show the same picture are near-duplicates
    without being listed there.
    """

    names: tuple[str, ...]
    artworks: Items
    profiles: npt.NDArray[np.int16]
    pictures: Items
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
        _, pictures = np.unique(images["content_hash"].to_numpy(), return_inverse=True)
        originals = np.flatnonzero(profiles < 0)
        return cls(tuple(names), artworks, profiles, pictures, originals, np.zeros(0, np.int64))

    def with_near(self, pairs: Iterable[tuple[int, int]]) -> NumberedImages:
        """The same with pairs of near-duplicate originals, by their place in `originals`."""
        listed = np.array(list(pairs), np.int64).reshape(-1, 2)
        first, second = (self.pictures[self.originals[column]] for column in listed.T)
        first, second = first[first != second], second[first != second]
        near = np.concatenate([self._pair(first, second), self._pair(second, first)])
        return replace(self, near=np.unique(near))

    @property
    def _count(self) -> int:
        """How many artworks there are, at least 1."""
        return int(self.artworks.max()) + 1 if len(self.artworks) else 1

    def _pair(self, first: Items, second: Items) -> Items:
        return np.asarray(first * len(self.pictures) + second)

    @property
    def have_copies(self) -> npt.NDArray[np.bool_]:
        """Which originals [n] have copies."""
        return self.relevant(range(len(self.names))) > 0

    def relevant(self, members: Iterable[int]) -> Items:
        """How many copies of the profiles `members` each original [n] has."""
        wanted = np.isin(self.profiles, np.array(list(members), np.int16))
        counts = np.bincount(self.artworks[wanted], minlength=self._count)
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

    def places_of(self, items: Items) -> Items:
        """The place of each of the `items` among the originals, −1 for what is none of them."""
        place_of = np.full(len(self.artworks) + 1, -1, np.int64)  # item −1, nothing, reads the last
        place_of[self.originals] = np.arange(len(self.originals))
        return np.asarray(place_of[items])

    def by_picture(self) -> dict[int, Items]:
        """The places of the originals that show each picture, by the picture."""
        pictures = self.pictures[self.originals]
        order = np.argsort(pictures, kind="stable")
        shown, starts = np.unique(pictures[order], return_index=True)
        return dict(zip(shown.tolist(), np.split(order, starts[1:]), strict=True))

    def near_to(self, items: Items, places: Items | None = None) -> npt.NDArray[np.bool_]:
        """Which of the `items` [n, k] retrieved for each original, or for those at `places` among the
        originals, are images of its near-duplicates, bool [n, k]."""
        queries = self.originals if places is None else self.originals[places]
        own, theirs = self.artworks[queries][:, None], self.artworks[items]
        picture, other = self.pictures[queries][:, None], self.pictures[items]
        near = np.isin(self._pair(picture, other), self.near) | (picture == other) & (own != theirs)
        return np.asarray(near & (items >= 0))

    def near_images(self) -> Items:
        """How many images the near-duplicates of each original [n] have."""
        images = np.bincount(self.pictures, minlength=1)
        first, second = np.divmod(self.near, max(1, len(self.pictures)))
        counts = images.copy()
        np.add.at(counts, first, images[second])
        own = np.bincount(self.artworks, minlength=1)
        return np.asarray(
            counts[self.pictures[self.originals]] - own[self.artworks[self.originals]]
        )

    def near_groups(self) -> Iterator[tuple[Items, Items]]:
        """For each picture with near-duplicates the places of the originals that show it, and of those
        that show it or a near-duplicate of it."""
        places = self.by_picture()
        first, second = np.divmod(self.near, max(1, len(self.pictures)))
        for picture, own in places.items():
            start, end = np.searchsorted(first, [picture, picture + 1])
            near = np.concatenate([own, *(places[other] for other in second[start:end].tolist())])
            if len(near) > 1:
                yield own, near

    def near_items(self, row: int) -> Items:
        """The items that are images of the near-duplicates of the original at place `row`."""
        original = self.originals[row]
        picture = self.pictures[original]
        ends = self._pair(np.array([picture, picture + 1]), np.zeros(2, np.int64))
        start, end = np.searchsorted(self.near, ends)
        near = np.isin(self.pictures, self.near[start:end] % len(self.pictures))
        near |= (self.pictures == picture) & (self.artworks != self.artworks[original])
        return np.flatnonzero(near)


@dataclass(frozen=True)
class _Retrieved:
    """What was retrieved for the originals that have copies: `own` [m, k] says which are their copies,
    `foreign` which are left out, `profiles` int16 of which profile each is."""

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
        """The ranking in which the copies of the profiles `members` are relevant; the other copies are
        left out, or wrong where they are in the ranking too."""
        wanted = self.own & np.isin(self.profiles, np.array(members, np.int16))
        junk = self.foreign if others_too else self.foreign | (self.own & ~wanted)
        relevant = self.numbered.relevant(members)[self.numbered.have_copies]
        return ranking_of(self.distances, wanted, junk, relevant, depth, self.beyond)


def study_scores(
    numbered: NumberedImages,
    retrieved: Neighbours,
    ks: Sequence[int],
    beyond: Items | None = None,
) -> Iterator[Scores]:
    """The study's scores over the originals that have copies. `beyond` [n] is of `ranking_of`."""
    if not numbered.have_copies.any():
        return
    copies = _Retrieved.of(numbered, retrieved, beyond)
    everything = range(len(numbered.names))
    ranking = copies.ranking(everything, ks[-1])
    yield from study_measures(ranking, ks)
    for number, name in enumerate(numbered.names):
        single = copies.ranking([number], ks[-1], others_too=True)
        yield from recovered(name, single, ranking.relevant, ks)


def rankings(
    numbered: NumberedImages, retrieved: Neighbours, depth: int, beyond: Items | None = None
) -> Iterator[tuple[str, Ranking, PooledPairs]]:
    """Every group's rankings over the originals that have copies, and the pool of all pairs. `beyond`
    [n] is of `ranking_of`."""
    without = np.flatnonzero(~numbered.have_copies)
    items, queries = retrieved.items[without], numbered.originals[without]
    own = numbered.artworks[items] == numbered.artworks[queries][:, None]
    junk = (items < 0) | own | numbered.near_to(items, without)
    nothing = np.zeros(len(without), np.int64)
    others = ranking_of(
        retrieved.distances[without], np.zeros_like(junk), junk, nothing, depth
    ).distances
    copies = _Retrieved.of(numbered, retrieved, beyond)
    for group, members in numbered.groups().items():
        ranking = copies.ranking(members, depth)
        yield group, ranking, pool_pairs(ranking, others)


def original_lists(numbered: NumberedImages, retrieved: Neighbours, k: int, seed: int = 0) -> Items:
    """The nearest other originals [n, k] of each original, by their place among the originals, −1
    where a list ends; near-duplicates are left out. Equally distant ones are in a random order that
    follows from `seed`."""
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
    """Which rows of ascending `distances` [n, k] hold equal ones."""
    equal = (distances[:, 1:] == distances[:, :-1]) & np.isfinite(distances[:, 1:])
    return np.asarray(equal.any(axis=1))


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
