"""A walk from one artwork to another, each step to a near neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import lists_of
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import SnapshotView
from simsearch.reading.walk import neighbour_graph, shortest_walk


@dataclass(frozen=True)
class WalkPage(Page):
    """The artworks passed, each with its cosine to the one before; None: the first. `gap` is the cosine of
    the last step to `last` where no way leads there, else None; `direct` that of both ends. A step joins
    works of which one is among the other's `k` nearest."""

    template: ClassVar[str] = "closer/walk"

    first: ViewArtwork
    last: ViewArtwork
    space: str
    steps: list[tuple[ViewArtwork, float | None]]
    gap: float | None
    direct: float
    k: int


def walk_page(
    site: Site, view: SnapshotView, artwork_id: str, to: str, space: str | None
) -> WalkPage:
    first, last = view.artwork(artwork_id), view.artwork(to)
    space = space or view.spaces[0]
    lists = lists_of(site, view, space)
    graph = site.derived(view, ("graph", space), lambda: neighbour_graph(lists))
    walk = shortest_walk(view, space, graph, first.number, last.number)
    artworks = [view.artwork_at(number) for number in walk.numbers]
    return WalkPage(
        first=first,
        last=last,
        space=space,
        steps=list(zip(artworks, [None, *map(cosine, walk.distances)], strict=True)),
        gap=None if walk.gap is None else cosine(walk.gap),
        direct=cosine(view.distance(space, first.item, last.item)),
        k=lists.k,
    )
