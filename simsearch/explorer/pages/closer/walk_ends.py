"""The artworks from which the end of a walk is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView

ENDS_OFFERED = 24


@dataclass(frozen=True)
class WalkEndsPage(Page):
    """Some of the `total` artworks that `q` finds, or a few from anywhere where it is empty."""

    template: ClassVar[str] = "closer/walk-ends"

    first: ViewArtwork
    space: str
    q: str
    ends: list[ViewArtwork]
    total: int


def walk_ends_page(
    site: Site, view: SnapshotView, artwork_id: str, space: str | None, q: str
) -> WalkEndsPage:
    first = view.artwork(artwork_id)
    space = view.space(space or view.spaces[0]).name
    if q:
        numbers = [int(number) for number in site.search(view, Search(q=q))]
    else:  # the same few each time: an address shows the same for ever
        random = np.random.default_rng((view.plan.seed, first.number))
        numbers = random.permutation(len(view))[: ENDS_OFFERED + 1].tolist()
    others = [number for number in numbers if number != first.number]
    ends = [view.artwork_at(number) for number in others[:ENDS_OFFERED]]
    return WalkEndsPage(first, space, q, ends, len(others))
