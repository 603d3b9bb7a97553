"""The routes of the explorer: pages first, then data, then pictures."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException, MultiPartParser

from simsearch.errors import NotFoundError, UsageError
from simsearch.explorer.pages.api import api_page
from simsearch.explorer.pages.artwork import artwork_page
from simsearch.explorer.pages.picture import MATCHES, Sightings, picture_page, sightings_of
from simsearch.explorer.pages.recovery import recovery_page
from simsearch.explorer.pages.runs import runs_page
from simsearch.explorer.pages.search import search_page
from simsearch.explorer.pages.site import Site
from simsearch.explorer.server.requests import Asked, InSite, View, years_of
from simsearch.explorer.server.responses import FOR_EVER, addresses_of, open_to_viewers, respond
from simsearch.explorer.server.uploads import upload_place
from simsearch.reading import downloads
from simsearch.reading.picture_query import PictureResult, limit_chunks, read_picture
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def search(request: Request, site: InSite, view: View, asked: Asked, page: int = 1) -> Response:
    return respond(request, view, search_page(site, view, asked, page))


@router.get("/surprise", response_class=HTMLResponse)
def surprise(request: Request, view: View) -> Response:
    artwork = view.artwork_at(secrets.randbelow(len(view)))
    to = addresses_of(request, view)
    return RedirectResponse(to.artwork(artwork.artwork_id), HTTPStatus.SEE_OTHER)


@router.get("/artwork", response_class=HTMLResponse)
def artwork(
    request: Request,
    site: InSite,
    view: View,
    id: str,
    space: Annotated[list[str] | None, Query()] = None,
    copies: bool = False,
) -> Response:
    return respond(request, view, artwork_page(site, view, id, space or [], with_copies=copies))


@router.get("/picture", response_class=HTMLResponse)
def picture(request: Request, site: InSite, view: View) -> Response:
    site.picture_query.warm(view)
    return respond(request, view, picture_page(site.library.config.explore, Search()))


@router.post("/picture", response_class=HTMLResponse)
async def ask_picture(request: Request, site: InSite, view: View) -> Response:
    async with upload_place(request):
        data, years = await _form_picture(request, site.library.config.explore.max_upload_bytes)
        picture = await run_in_threadpool(read_picture, site.library.config.explore, view, data)

    def answers() -> tuple[list[PictureResult], Sightings]:
        among = site.of_years(view, years)
        spaces = list(view.spaces)
        results = list(site.picture_query.answers(view, picture, spaces, MATCHES, among=among))
        return results, sightings_of(site, view, picture, among)

    answered, same = await run_in_threadpool(answers)
    return respond(request, view, picture_page(site.library.config.explore, years, answered, same))


@router.get("/recovery", response_class=HTMLResponse)
def recovery(
    request: Request,
    site: InSite,
    view: View,
    k: int | None = None,
    metric: str | None = None,
    search: str = "exact",
    space: str | None = None,
    profile: str | None = None,
    page: int = 1,
) -> Response:
    to = addresses_of(request, view)
    values = recovery_page(
        site, view, to, k=k, metric=metric, search=search,
        space=space, profile=profile or None, page=page,
    )  # fmt: skip
    return respond(request, view, values)


@router.get("/runs", response_class=HTMLResponse)
def runs(request: Request, site: InSite, view: View) -> Response:
    return respond(request, view, runs_page(site, view))


@router.get("/api", response_class=HTMLResponse)
def api(request: Request, view: View) -> Response:
    return respond(request, view, api_page(request.app.openapi()))


@router.get("/tables/{name}.{kind}")
def table(view: View, name: str, kind: str) -> Response:
    data = downloads.table_bytes(view, name, kind)
    file = downloads.file_name(f"{view.snapshot_id}-{name}", kind)
    headers = {"Content-Disposition": downloads.disposition(file)}
    return Response(data, media_type=downloads.MEDIA_TYPES[kind], headers=headers)


@router.get("/thumbnails/{short_hash}-{size}.webp")
def thumbnail(request: Request, site: InSite, view: View, short_hash: str, size: int) -> Response:
    return _picture(request, site, view, view.item_of_hash(short_hash), size)


@router.get("/copies/{item}-{size}.webp")
def copy(request: Request, site: InSite, view: View, item: int, size: int) -> Response:
    if not 0 <= item < len(view.image_ids) or view.profile_of(item) is None:
        raise NotFoundError("no copy of that number in this snapshot")
    return _picture(request, site, view, item, size)


@router.get("/health")
def health() -> Response:
    return JSONResponse({"status": "ok"})


def _picture(request: Request, site: Site, view: SnapshotView, item: int, size: int) -> Response:
    made_of = view.hashes[item].as_py()[:32]
    profile = view.profile_of(item) or ""
    tag = f'"{made_of}-{profile}-{view.plan.seed}-{size}"'
    headers = {"ETag": tag, "Cache-Control": FOR_EVER, **open_to_viewers(request)}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    data = site.pictures.thumbnail(view, item, size)
    return Response(data, media_type="image/webp", headers=headers)


async def _form_picture(request: Request, limit: int) -> tuple[bytes, Search]:
    """The file in a form, held only in memory, and the years. Raises UsageError for a form without a file."""
    parser = MultiPartParser(
        request.headers, limit_chunks(request.stream(), limit + 2**16), max_files=1, max_fields=8
    )
    parser.spool_max_size = limit + 2**16  # the default writes larger uploads to disk
    try:
        form = await parser.parse()
        file = form.get("picture")
        if file is None or isinstance(file, str):
            raise UsageError("choose a picture first")
        years = (str(form.get(name) or "") for name in ("year_from", "year_to"))
        return await file.read(), years_of(*years)
    except (MultiPartException, KeyError) as error:
        raise UsageError(f"the form cannot be read ({error}); send it again") from None
