"""The map's page: the map with which it opens, and a first wall for browsers without scripts."""

from __future__ import annotations

from typing import Any

from simsearch.errors import NotFoundError
from simsearch.reading.sets import MOST
from simsearch.reading.view import SnapshotView


def map_page(
    view: SnapshotView, space: str | None, method: str | None, artwork_id: str | None = None
) -> dict[str, Any]:
    """The map of `space` by `method` (None: the first), centred on an artwork if one is given.

    Raises NotFoundError for a map or an artwork that the snapshot does not hold.
    """
    wanted = None if artwork_id is None else view.artwork(artwork_id).number
    if not view.maps:
        return {"space": None, "method": None, "methods": ()}
    space = space or next(iter(view.maps))
    methods = view.maps.get(space, ())
    method = method or (methods[0] if methods else None)
    if method not in methods:
        raise NotFoundError(
            f"no such map in this snapshot; there are {', '.join(view.maps)} by {' and '.join(next(iter(view.maps.values())))}"
        )
    return {
        "space": space,
        "method": method,
        "methods": methods,
        "wanted": wanted,
        "most_in_set": MOST,
    }
