"""The values of the walk's page: the way, or artworks from which to choose an end."""

from __future__ import annotations

from typing import Any

import numpy as np

from simsearch.explorer.pages.findings import lists_of
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import Artwork
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView
from simsearch.reading.walk import Walk, neighbour_graph, shortest_walk

ENDS_OFFERED = 24


def walk_page(
    site: Site, view: SnapshotView, artwork_id: str, to: str | None, space: str | None, q: str
) -> dict[str, Any]:
    """The values of the walk's page from one artwork to the artwork `to`. Without `to`, the page offers the
    artworks that `q` finds, or a few random ones, as an end."""
    first = view.artwork(artwork_id)
    space = space or view.spaces[0]
    view.space(space)
    values: dict[str, Any] = {"first": first, "space": space, "q": q}
    if to is None:
        ends, total = _ends(site, view, first, q)
        return {**values, "last": None, "ends": ends, "total": total}
    last = view.artwork(to)
    lists = lists_of(site, view, space)
    graph = site.derived(view, ("graph", space), lambda: neighbour_graph(lists))
    walk: Walk = shortest_walk(view, space, graph, first.number, last.number)
    return {
        **values,
        "last": last,
        "steps": list(
            zip(
                [view.artwork_at(number) for number in walk.numbers],
                [None, *map(cosine, walk.distances)],
                strict=True,
            )
        ),
        "gap": None if walk.gap is None else cosine(walk.gap),
        "direct": cosine(view.distance(space, first.item, last.item)),
        "k": lists.k,
    }


def _ends(site: Site, view: SnapshotView, first: Artwork, q: str) -> tuple[list[Artwork], int]:
    if q:
        numbers = [int(number) for number in site.search(view, Search(q=q))]
    else:  # the same few each time, as an address always shows the same
        random = np.random.default_rng((view.plan.seed, first.number))
        numbers = random.permutation(len(view))[: ENDS_OFFERED + 1].tolist()
    others = [number for number in numbers if number != first.number]
    return [view.artwork_at(number) for number in others[:ENDS_OFFERED]], len(others)
