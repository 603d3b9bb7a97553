"""The parts of a request: its site, its snapshot's view, its search."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Query, Request

from simsearch.errors import UsageError
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import SAID, shorten
from simsearch.reading.box import Box
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def view_of(request: Request, snapshot: Annotated[str | None, Query()] = None) -> SnapshotView:
    return site_of(request).library.view(snapshot)


View = Annotated[SnapshotView, Depends(view_of)]
InSite = Annotated[Site, Depends(site_of)]


_YEAR = re.compile(r"[-−]?[0-9]{1,5}")
Year = Annotated[str, Query(max_length=200, description="such as 1888, or -300 for 300 B.C.")]


def search_of(
    q: Annotated[str, Query(max_length=200)] = "",
    title: Annotated[str, Query(max_length=200)] = "",
    artist: Annotated[str, Query(max_length=200)] = "",
    medium: Annotated[str, Query(max_length=200)] = "",
    year_from: Year = "",
    year_to: Year = "",
) -> Search:
    """The search in a request. Years arrive as text, because a form sends an empty field as an empty text.
    They may come in either order, as on the map. Raises UsageError for a text that is no year."""
    first, last = _year(year_from), _year(year_to)
    if first is not None and last is not None and first > last:
        first, last = last, first
    return Search(q.strip(), title.strip(), artist.strip(), medium.strip(), first, last)


def _year(text: str) -> int | None:
    if not text:
        return None
    if not _YEAR.fullmatch(text):
        raise UsageError(
            f"{shorten(text, SAID)!r} is no year; give a number such as 1888, or -300 for 300 B.C."
        )
    return int(text.replace("−", "-"))


Asked = Annotated[Search, Depends(search_of)]


def years_of(year_from: Year = "", year_to: Year = "") -> Search:
    """The years to which a search by picture is limited. Raises UsageError as `search_of` does."""
    return search_of(year_from=year_from, year_to=year_to)


Years = Annotated[Search, Depends(years_of)]


Percent = Annotated[float | None, Query(ge=0, le=100, description="per cent of the picture")]


def box_of(
    left: Percent = None, top: Percent = None, width: Percent = None, height: Percent = None
) -> Box | None:
    """The part of a picture by which to search; None: all of it. Raises UsageError."""
    sides = [side for side in (left, top, width, height) if side is not None]
    if sides and len(sides) < 4:
        raise UsageError("a box has left, top, width and height; give all four or none")
    return Box(*sides) if sides else None


AskedBox = Annotated[Box | None, Depends(box_of)]
