"""The spaces on the page of an artwork: neighbours side by side, copies and their ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simsearch.reading.artworks import Neighbour, ViewArtwork
from simsearch.reading.view import SnapshotView

ARTWORKS_SHOWN = 12
RANKS_SEARCHED = 500  # depth of the search for a copy, after which its rank reads "beyond"


@dataclass(frozen=True)
class ShownNeighbour:
    """A neighbour as the page shows it. `shared` is the number of spaces that show it. `profile` is set for
    a perturbed copy, `own` is true for a copy of the page's own artwork."""

    neighbour: Neighbour
    artwork: ViewArtwork
    profile: str | None
    own: bool
    shared: int


@dataclass(frozen=True)
class Difference:
    """An image that is among the nearest of one search but not of the other."""

    neighbour: Neighbour
    artwork: ViewArtwork
    profile: str | None


@dataclass(frozen=True)
class Column:
    """The neighbours of an artwork in one space. `missed` are those that exact search finds and the index
    does not, `extra` the reverse."""

    space: str
    trained: bool
    neighbours: list[ShownNeighbour]
    missed: list[Difference]
    extra: list[Difference]


@dataclass(frozen=True)
class CopyRank:
    """The `rank` from 1 at which a space finds a copy, None beyond the searched depth."""

    space: str
    rank: int | None
    distance: float


@dataclass(frozen=True)
class Copy:
    """A perturbed copy of the artwork and its rank in every space shown."""

    profile: str
    item: int
    ranks: list[CopyRank]


def columns(
    view: SnapshotView, artwork: ViewArtwork, spaces: Sequence[str], *, with_copies: bool
) -> list[Column]:
    """The nearest artworks in each space, or the stored neighbours with copies among them."""
    answers = {
        space: (
            view.stored(space, "annoy").of(artwork)
            if with_copies
            else view.nearest_artworks(space, artwork, ARTWORKS_SHOWN)
        )
        for space in spaces
    }
    shared = Counter(neighbour.item for neighbours in answers.values() for neighbour in neighbours)
    return [
        Column(
            space,
            space not in view.untrained,
            [
                _show(view, artwork, neighbour, shared[neighbour.item])
                for neighbour in answers[space]
            ],
            *_differences(view, artwork, space),
        )
        for space in spaces
    ]


def _show(
    view: SnapshotView, artwork: ViewArtwork, neighbour: Neighbour, shared: int
) -> ShownNeighbour:
    profile = view.profile_of(neighbour.item)
    other = view.artwork_of(neighbour.item)
    own = profile is not None and other.number == artwork.number
    return ShownNeighbour(neighbour, other, profile, own, shared)


def _differences(
    view: SnapshotView, artwork: ViewArtwork, space: str
) -> tuple[list[Difference], list[Difference]]:
    exact, annoy = (view.stored(space, search).of(artwork) for search in ("exact", "annoy"))

    def without(neighbours: list[Neighbour], others: list[Neighbour]) -> list[Difference]:
        known = {neighbour.item for neighbour in others}
        return [
            Difference(neighbour, view.artwork_of(neighbour.item), view.profile_of(neighbour.item))
            for neighbour in neighbours
            if neighbour.item not in known
        ]

    return without(exact, annoy), without(annoy, exact)


def copies(view: SnapshotView, artwork: ViewArtwork, spaces: Sequence[str]) -> list[Copy]:
    """The artwork's copies in the order of the profiles. Empty if no copies were made of it."""
    copies_made = []
    for place, profile in enumerate(view.profiles):
        item = int(view.copies[artwork.number, place])
        if item < 0:
            continue
        ranks = []
        for space in spaces:
            stored = int(view.copy_ranks(space)[artwork.number, place])
            rank = stored or _deep_rank(view, space, artwork, item)
            ranks.append(CopyRank(space, rank, view.distance(space, artwork.item, item)))
        copies_made.append(Copy(profile, item, ranks))
    return copies_made


def _deep_rank(view: SnapshotView, space: str, artwork: ViewArtwork, item: int) -> int | None:
    """The rank, from 1, at which the index finds `item` for an artwork. The artwork itself and images of
    near-duplicates do not count. None beyond RANKS_SEARCHED."""
    items = view.index(space).near([artwork.item], RANKS_SEARCHED + 1).items
    near = view.numbered.near_to(items, view.numbered.places_of(np.array([artwork.item])))
    others = items[~near & (items != artwork.item)].tolist()
    return others.index(item) + 1 if item in others else None
