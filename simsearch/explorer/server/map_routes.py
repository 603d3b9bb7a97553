"""The map's page and the data for its scripts."""

from __future__ import annotations

import gzip
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from simsearch.errors import UsageError
from simsearch.explorer.pages.map import map_page
from simsearch.explorer.server.requests import Asked, InSite, View
from simsearch.explorer.server.responses import FOR_EVER, addresses_of, respond
from simsearch.reading.map_data import CARDS_AT_ONCE, card

router = APIRouter(include_in_schema=False)
BINARY = "application/octet-stream"

# Between 1 and CARDS_AT_ONCE numbers, separated by points.
Numbers = Annotated[str, Query(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})*$", max_length=2000)]


@router.get("/map", response_class=HTMLResponse)
def page(
    request: Request,
    view: View,
    space: str | None = None,
    method: str | None = None,
    id: str | None = None,
) -> Response:
    return respond(request, view, map_page(view, space, method, id))


@router.get("/map/points")
def points(site: InSite, view: View, space: str, method: str) -> Response:
    return _respond_kept(site.map_data(view).point_file(space, method), BINARY, smaller=False)


@router.get("/map/facets")
def facets(site: InSite, view: View) -> Response:
    return _respond_kept(site.map_data(view).facet_file, BINARY)


@router.get("/map/regions")
def regions(site: InSite, view: View, space: str, method: str) -> Response:
    return _respond_kept(site.map_data(view).region_file(space, method), "application/json")


@router.get("/map/found")
def found_artworks(site: InSite, view: View, asked: Asked) -> Response:
    """The numbers of the artworks that a search finds, as uint32."""
    numbers = np.asarray(site.search(view, asked))
    return _respond_kept(numbers.astype("<u4").tobytes(), BINARY, smaller=False)


@router.get("/map/cards")
def cards(request: Request, view: View, numbers: Numbers) -> Response:
    """The wall's cards of some artworks, in the order of the request."""
    wanted = [int(number) for number in numbers.split(".")]
    if len(wanted) > CARDS_AT_ONCE or max(wanted) >= len(view):
        raise UsageError(
            f"numbers: give at most {CARDS_AT_ONCE}, each below {len(view)}, as the map does"
        )
    to = addresses_of(request, view)
    rows = []
    for number in wanted:
        row = card(view, number)
        item = row.pop("item")
        rows.append(
            row
            | {
                "href": to.artwork(row["id"]),
                "picture": to.picture(item, 400),
                "small": to.picture(item, 96),
            }
        )
    return JSONResponse(rows, headers={"Cache-Control": FOR_EVER})


def _respond_kept(data: bytes, kind: str, *, smaller: bool = True) -> Response:
    """A response that browsers keep. It is compressed here, once and fast: the middleware would use its
    slowest setting, on the thread that answers everyone. Coordinates cannot be compressed."""
    headers = {"Cache-Control": FOR_EVER, "Content-Encoding": "gzip" if smaller else "identity"}
    body = gzip.compress(data, 5, mtime=0) if smaller else data
    return Response(body, headers=headers, media_type=kind)
