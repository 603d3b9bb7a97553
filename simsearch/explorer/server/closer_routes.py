"""Pages that look closer at an artwork: why another is near, a comparison of two pictures, a walk to another, a
search by a part, the picture in all its pixels."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from simsearch.explorer.pages.closer.alike import alike_page
from simsearch.explorer.pages.closer.alike_parts import alike_parts_page
from simsearch.explorer.pages.closer.compare import compare_page
from simsearch.explorer.pages.closer.detail import detail_page
from simsearch.explorer.pages.closer.walk import walk_page
from simsearch.explorer.pages.closer.walk_ends import walk_ends_page
from simsearch.explorer.pages.closer.zoom import tile_hosts, tiles_of, zoom_page
from simsearch.explorer.server.requests import AskedBox, InSite, View, Years
from simsearch.explorer.server.responses import FOR_EVER, addresses_of, respond

Place = Annotated[int, Path(ge=0, le=10_000)]
Share = Annotated[float, Query(ge=0, le=1)]
Zoom = Annotated[float, Query(gt=0, le=1e6)]


def check_sight(x: Share = 0.5, y: Share = 0.5, zoom: Zoom = 1) -> None:
    """Refuse an address whose place on a picture cannot be read. The page's script goes there."""


# Shares of the first picture. The second may reach far beyond it.
Middle = Annotated[float, Query(ge=-100, le=100)]


def check_comparison(
    x: Middle = 0.5,
    y: Middle = 0.5,
    zoom: Zoom = 1,
    mode: Literal["side", "fade", "wipe", "flicker"] = "side",
    at: Share = 0.5,
) -> None:
    """Refuse an address of two pictures that cannot be read. The page's script goes there."""


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/walk")
def walk(
    request: Request,
    site: InSite,
    view: View,
    id: str,
    to: str | None = None,
    space: str | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    page = (
        walk_page(site, view, id, to, space)
        if to
        else walk_ends_page(site, view, id, space, q.strip())
    )
    return respond(request, view, page)


@router.get("/detail")
def detail(
    request: Request,
    site: InSite,
    view: View,
    box: AskedBox,
    years: Years,
    id: str,
    answered: bool = False,
) -> Response:
    """A search by a part. `answered` adds the results, for browsers that run no script."""
    site.picture_query.warm(view)
    return respond(request, view, detail_page(site, view, id, box, years, answered=answered))


@router.get("/alike")
def alike(
    request: Request,
    site: InSite,
    view: View,
    id: str,
    other: str,
    space: str | None = None,
    drawn: bool = False,
) -> Response:
    """Why two artworks are near. `drawn` adds the matching parts, for browsers that run no script."""
    to = addresses_of(request, view)
    return respond(request, view, alike_page(site, view, to, id, other, space, drawn=drawn))


@router.get("/alike/parts")
def alike_parts(
    request: Request, site: InSite, view: View, id: str, other: str, space: str
) -> Response:
    to = addresses_of(request, view)
    return respond(request, view, alike_parts_page(site, view, to, id, other, space))


@router.get("/compare", dependencies=[Depends(check_comparison)])
def compare(request: Request, site: InSite, view: View, id: str, other: str) -> Response:
    page = compare_page(site, view, id, other)
    hosts = [
        host for artwork in (page.first, page.other) for host in tile_hosts(site, view, artwork)
    ]
    return respond(request, view, page, hosts)


@router.get("/zoom", dependencies=[Depends(check_sight)])
def zoom(request: Request, site: InSite, view: View, id: str) -> Response:
    page = zoom_page(view, id)
    return respond(request, view, page, tile_hosts(site, view, page.artwork))


@router.get("/zoom/tiles.json")
def zoom_tiles(request: Request, site: InSite, view: View, id: str) -> Response:
    tiles = tiles_of(site, view, addresses_of(request, view), id)
    return JSONResponse(tiles.to_json(), headers={"Cache-Control": "private, max-age=600"})


@router.get("/zoom/{short_hash}/{factor}-{column}-{row}.webp")
def tile(
    site: InSite, view: View, short_hash: str, factor: int, column: Place, row: Place
) -> Response:
    data = site.tiles.tile(view, view.item_of_hash(short_hash), factor, column, row)
    return Response(data, media_type="image/webp", headers={"Cache-Control": FOR_EVER})
