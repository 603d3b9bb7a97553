"""Pages that look closer at an artwork: why another is near, a walk to another, a search by a part, the
picture in all its pixels."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from simsearch.explorer.pages import zoom as zooming
from simsearch.explorer.pages.alike import alike_page, parts_of
from simsearch.explorer.pages.detail import detail_page
from simsearch.explorer.pages.walk import walk_page
from simsearch.explorer.server.answers import FOR_EVER, addresses_of, render_page
from simsearch.explorer.server.requests import AskedBox, InSite, View, Years

Place = Annotated[int, Path(ge=0, le=10_000)]

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
    values = walk_page(site, view, id, to or None, space or None, q.strip())
    return render_page(request, view, "closer/walk", values)


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
    values = detail_page(site, view, id, box, years, answered=answered)
    return render_page(request, view, "closer/detail", values)


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
    values: dict[str, Any] = {**alike_page(site, view, id, other, space or None), "drawn": drawn}
    if drawn:
        values |= parts_of(site, view, addresses_of(request, view), id, other, values["space"])
    return render_page(request, view, "closer/alike", values)


@router.get("/alike/parts")
def alike_parts(
    request: Request, site: InSite, view: View, id: str, other: str, space: str
) -> Response:
    values = parts_of(site, view, addresses_of(request, view), id, other, space)
    return render_page(request, view, "closer/alike-parts", values)


@router.get("/zoom")
def zoom(request: Request, site: InSite, view: View, id: str) -> Response:
    values = zooming.zoom_page(site, view, id)
    hosts = [values["host"]] if values["host"] else []
    return render_page(request, view, "closer/zoom", values, hosts)


@router.get("/zoom/tiles.json")
def zoom_tiles(request: Request, site: InSite, view: View, id: str) -> Response:
    tiles = zooming.tiles_of(site, view, addresses_of(request, view), id)
    return JSONResponse(tiles.to_json(), headers={"Cache-Control": "private, max-age=600"})


@router.get("/zoom/{short_hash}/{factor}-{column}-{row}.webp")
def tile(
    site: InSite, view: View, short_hash: str, factor: int, column: Place, row: Place
) -> Response:
    data = site.tiles.tile(view, view.item_of_hash(short_hash), factor, column, row)
    return Response(data, media_type="image/webp", headers={"Cache-Control": FOR_EVER})
