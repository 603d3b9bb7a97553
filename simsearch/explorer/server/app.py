"""The web application: which address is answered by what. Pages first, then data, then pictures."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from simsearch import __version__
from simsearch.config import Config
from simsearch.errors import ConfigError, NotFoundError, SimsearchError, UsageError
from simsearch.explorer.data import map_data, tables
from simsearch.explorer.data.library import Library
from simsearch.explorer.data.picture_query import TooLargeError, limited, read_picture
from simsearch.explorer.data.view import SnapshotView
from simsearch.explorer.pages import pages
from simsearch.explorer.pages.addresses import LiveAddresses
from simsearch.explorer.pages.site import Site
from simsearch.explorer.server import api
from simsearch.explorer.server.requests import Asked, InSite, View, site_of
from simsearch.explorer.server.security import Gatekeeper, content_security_policy

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "SIMSEARCH_EXPLORE_TOKEN"  # noqa: S105
FOR_EVER = "private, max-age=31536000, immutable"
MIN_TOKEN = 12


def create_app(config: Config, roots: list[str], token: str | None = None) -> FastAPI:
    """The explorer of one or more storage roots, behind a password where there is a `token`.

    Raises NotFoundError when nothing is published.
    """
    site = Site(config, Library(config, roots))
    site.library.view()
    app = FastAPI(
        title="simsearch explorer",
        version=__version__,
        description="Which artworks look alike, and how far the answer can be trusted.",
        docs_url=None,  # FastAPI's own page loads its scripts from a CDN; ours is /api
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.site = site
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(BaseHTTPMiddleware, dispatch=Gatekeeper(config.explore, token))
    _add_errors(app)
    _add_pages(app)
    _add_data(app)
    app.include_router(api.router)
    static = files("simsearch.explorer").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    return app


def token_from_environment() -> str | None:
    """The password, if one is set. Raises ConfigError for one that is soon guessed."""
    token = os.environ.get(TOKEN_VARIABLE) or None
    if token is not None and len(token) < MIN_TOKEN:
        raise ConfigError(
            f"${TOKEN_VARIABLE}: {len(token)} characters are soon guessed; give at least {MIN_TOKEN}"
        )
    return token


def _add_pages(app: FastAPI) -> None:
    hidden: dict[str, Any] = {"include_in_schema": False, "response_class": HTMLResponse}

    def shown(
        request: Request, view: SnapshotView, name: str, values: Mapping[str, Any]
    ) -> Response:
        to = LiveAddresses(view, request.scope.get("root_path", "").rstrip("/"))
        html = site_of(request).render(name, view, to, **values)
        policy = content_security_policy(view.iiif_hosts)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    @app.get("/", **hidden)
    def search(request: Request, site: InSite, view: View, asked: Asked, page: int = 1) -> Response:
        return shown(request, view, "search", pages.search(site, view, asked, page))

    @app.get("/surprise", **hidden)
    def surprise(request: Request, view: View) -> Response:
        artwork = view.artwork_at(secrets.randbelow(len(view)))
        to = LiveAddresses(view, request.scope.get("root_path", "").rstrip("/"))
        return RedirectResponse(to.artwork(artwork.artwork_id), HTTPStatus.SEE_OTHER)

    @app.get("/artwork", **hidden)
    def artwork(
        request: Request,
        view: View,
        id: str,
        space: Annotated[list[str] | None, Query()] = None,
        copies: bool = False,
    ) -> Response:
        values = pages.artwork(view, id, space or [], with_copies=copies)
        return shown(request, view, "artwork", values)

    @app.get("/picture", **hidden)
    def picture(request: Request, site: InSite, view: View) -> Response:
        site.picture_query.warm(view)
        return shown(request, view, "picture", pages.picture(site.config))

    @app.post("/picture", **hidden)
    async def ask_picture(request: Request, site: InSite, view: View) -> Response:
        data = await _form_picture(request, site.config.explore.max_upload_bytes)
        answers = await run_in_threadpool(
            lambda: list(
                site.picture_query.answers(
                    view, read_picture(site.config, view, data), list(view.spaces), pages.MATCHES
                )
            )
        )
        return shown(request, view, "picture", pages.picture(site.config, answers))

    @app.get("/map", **hidden)
    def map_page(
        request: Request, view: View, space: str | None = None, method: str | None = None
    ) -> Response:
        return shown(request, view, "map", pages.map_page(view, space, method))

    @app.get("/recovery", **hidden)
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
        to = LiveAddresses(view, request.scope.get("root_path", "").rstrip("/"))
        values = pages.recovery(
            site, view, to, k=k, metric=metric, search=search,
            space=space, profile=profile or None, page=page,
        )  # fmt: skip
        return shown(request, view, "recovery", values)

    @app.get("/runs", **hidden)
    def runs(request: Request, site: InSite, view: View) -> Response:
        return shown(request, view, "runs", pages.runs(site, view))

    @app.get("/api", **hidden)
    def api_page(request: Request, view: View) -> Response:
        return shown(request, view, "api", pages.api_page(request.app.openapi()))


def _add_data(app: FastAPI) -> None:
    @app.get("/map/points", include_in_schema=False)
    def map_points(view: View, space: str, method: str) -> Response:
        data = map_data.points(view, space, method)
        return Response(
            data, headers={"Cache-Control": FOR_EVER}, media_type="application/octet-stream"
        )

    @app.get("/map/artworks.json", include_in_schema=False)
    def map_artworks(view: View) -> Response:
        return JSONResponse(map_data.artworks(view), headers={"Cache-Control": FOR_EVER})

    @app.get("/map/found.json", include_in_schema=False)
    def map_found(site: InSite, view: View, asked: Asked) -> Response:
        return JSONResponse({"found": site.search(view, asked).tolist()})

    @app.get("/tables/{name}.{kind}", include_in_schema=False)
    def table(view: View, name: str, kind: str) -> Response:
        data = tables.table_bytes(view, name, kind)
        file = f"{view.snapshot_id}-{name}.{kind}"
        return Response(
            data,
            media_type=tables.MEDIA_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    @app.get("/thumbnails/{short_hash}-{size}.webp", include_in_schema=False)
    def thumbnail(
        request: Request, site: InSite, view: View, short_hash: str, size: int
    ) -> Response:
        return _picture(request, site, view, view.item_of_hash(short_hash), size)

    @app.get("/copies/{item}-{size}.webp", include_in_schema=False)
    def copy(request: Request, site: InSite, view: View, item: int, size: int) -> Response:
        if not 0 <= item < len(view.image_ids) or view.profile_of(item) is None:
            raise NotFoundError("no copy of that number in this snapshot")
        return _picture(request, site, view, item, size)

    @app.get("/health", include_in_schema=False)
    def health() -> Response:
        return JSONResponse({"status": "ok"})


def _picture(request: Request, site: Site, view: SnapshotView, item: int, size: int) -> Response:
    made_of = view.hashes[item].as_py()[:32]
    profile = view.profile_of(item) or ""
    tag = f'"{made_of}-{profile}-{view.plan.seed}-{size}"'
    headers = {"ETag": tag, "Cache-Control": FOR_EVER}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    data = site.pictures.thumbnail(view, item, size)
    return Response(data, media_type="image/webp", headers=headers)


async def _form_picture(request: Request, limit: int) -> bytes:
    """The file of a form, in memory only. Raises UsageError for a form without one."""
    parser = MultiPartParser(
        request.headers, limited(request.stream(), limit + 2**16), max_files=1, max_fields=8
    )
    parser.spool_max_size = limit + 2**16  # the default writes larger uploads to disk
    try:
        form = await parser.parse()
        file = form.get("picture")
        if file is None or isinstance(file, str):
            raise UsageError("choose a picture first")
        return await file.read()
    except (MultiPartException, KeyError) as error:
        raise UsageError(f"the form cannot be read ({error}); send it again") from None


def _add_errors(app: FastAPI) -> None:
    """Every failure is a page with one line of what to do; machines get the same as JSON."""

    def told(request: Request, status: int, message: str) -> Response:
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        if path.startswith("/api/"):
            return JSONResponse({"error": message}, status)
        values = {
            "status": status,
            "phrase": HTTPStatus(status).phrase,
            "message": message,
            "prefix": request.scope.get("root_path", "").rstrip("/"),
        }
        return HTMLResponse(site_of(request).render_plain("error", values), status)

    @app.exception_handler(SimsearchError)
    def ours(request: Request, error: SimsearchError) -> Response:
        if isinstance(error, NotFoundError):
            return told(request, 404, str(error))
        if isinstance(error, TooLargeError):
            refused = told(request, 413, str(error))
            refused.headers["Connection"] = "close"  # or the rest of it would still be sent
            return refused
        if isinstance(error, UsageError):
            return told(request, 400, str(error))
        log.error("explore: %s: %s", request.url.path, error)
        return told(request, 500, str(error))

    @app.exception_handler(ClientDisconnect)
    def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> Response:
        log.error("explore: %s", request.url.path, exc_info=error)
        return told(request, 500, "the explorer failed at this page; its log says where")

    @app.exception_handler(RequestValidationError)
    def misuse(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return told(request, 400, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        return told(request, error.status_code, "there is no such page here")
