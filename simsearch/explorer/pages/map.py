"""The map's page: the map with which it opens, and a first wall for browsers without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from simsearch.errors import NotFoundError
from simsearch.explorer.pages.page import Page
from simsearch.reading.sets import MOST
from simsearch.reading.view import SnapshotView


@dataclass(frozen=True)
class MapPage(Page):
    """`space` and `method` name the map that is shown, None for a snapshot without maps; `methods` are
    those of the space. `wanted` is the number of an artwork to look at."""

    template: ClassVar[str] = "map"

    space: str | None
    method: str | None
    methods: Sequence[str]
    wanted: int | None
    most_in_set: int


def map_page(
    view: SnapshotView, space: str | None, method: str | None, artwork_id: str | None = None
) -> MapPage:
    """The map of `space` by `method` (None: the first), centred on an artwork if one is given.

    Raises NotFoundError for a map or an artwork that the snapshot does not hold.
    """
    wanted = None if artwork_id is None else view.artwork(artwork_id).number
    if not view.maps:
        return MapPage(None, None, (), wanted, MOST)
    space = space or next(iter(view.maps))
    methods = view.maps.get(space, ())
    method = method or (methods[0] if methods else None)
    if method not in methods:
        raise NotFoundError(
            f"no such map in this snapshot; there are {', '.join(view.maps)} by {' and '.join(next(iter(view.maps.values())))}"
        )
    return MapPage(space, method, methods, wanted, MOST)
