"""The web application: its routes, its gatekeeper, and a page for every failure."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from simsearch.errors import (
    ConfigError,
    GoneError,
    NotFoundError,
    SimsearchError,
    StorageError,
    UsageError,
)
from simsearch.explorer.pages.error import ErrorPage
from simsearch.explorer.pages.site import Site
from simsearch.explorer.server import (
    api,
    closer_routes,
    finding_routes,
    map_routes,
    routes,
    set_routes,
    verdict_routes,
)
from simsearch.explorer.server.limits import BoundedBodies, HeadAsGet
from simsearch.explorer.server.requests import site_of
from simsearch.explorer.server.responses import prefix_of
from simsearch.explorer.server.security import Gatekeeper
from simsearch.reading.library import Library
from simsearch.reading.picture_query import BUSY_SECONDS, DecodersBusyError, TooLargeError
from simsearch.settings.config import Config
from simsearch.settings.shown_places import show_text
from simsearch.settings.version import __version__

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "SIMSEARCH_EXPLORE_TOKEN"  # noqa: S105
MIN_TOKEN = 12


def create_app(config: Config, roots: list[str], token: str | None = None) -> FastAPI:
    """The explorer of one or more roots, behind a password if there is a `token`.

    Raises NotFoundError if nothing is published.
    """
    site = Site(Library(config, roots))
    site.library.view()
    app = FastAPI(
        title="simsearch explorer",
        version=__version__,
        description="Which artworks look alike, and how far the answer can be trusted.",
        docs_url=None,  # FastAPI's own page loads scripts from a CDN; the explorer's is /api
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.site = site
    app.state.may_write = token is not None
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(BaseHTTPMiddleware, dispatch=Gatekeeper(config.explore, token))
    app.add_middleware(BoundedBodies)
    app.add_middleware(HeadAsGet)
    _add_errors(app)
    app.include_router(routes.router)
    app.include_router(finding_routes.router)
    app.include_router(verdict_routes.router)
    app.include_router(closer_routes.router)
    app.include_router(map_routes.router)
    app.include_router(set_routes.router)
    app.include_router(api.router)
    static = files("simsearch.explorer").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    return app


def token_from_environment() -> str | None:
    """The password, if one is set. Raises ConfigError for a password that is easily guessed."""
    token = os.environ.get(TOKEN_VARIABLE) or None
    if token is not None and len(token) < MIN_TOKEN:
        raise ConfigError(
            f"${TOKEN_VARIABLE}: {len(token)} characters are soon guessed; give at least {MIN_TOKEN}"
        )
    return token


def _add_errors(app: FastAPI) -> None:
    """Answer every failure with a page that says in one line what to do. Machines get the same as JSON."""

    def failure(request: Request, status: int, message: str) -> Response:
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        if path.startswith("/api/"):
            return JSONResponse({"error": message}, status)
        page = ErrorPage(HTTPStatus(status).phrase, message, prefix_of(request))
        return HTMLResponse(site_of(request).render_plain(page), status)

    @app.exception_handler(SimsearchError)
    def ours(request: Request, error: SimsearchError) -> Response:
        message = show_text(str(error))  # pages do not name places on the server
        asked = request.query_params.get("snapshot")
        if isinstance(error, GoneError):
            return failure(request, 410, message)
        if isinstance(error, StorageError) and site_of(request).library.is_gone(asked):
            return failure(request, 410, "the snapshot was removed while it was shown; start anew")
        if isinstance(error, NotFoundError):
            return failure(request, 404, message)
        if isinstance(error, DecodersBusyError):
            busy = failure(request, 503, message)
            busy.headers["Retry-After"] = str(BUSY_SECONDS)
            return busy
        if isinstance(error, TooLargeError):
            refused = failure(request, 413, message)
            refused.headers["Connection"] = "close"  # else the client sends the rest of its body
            return refused
        if isinstance(error, UsageError):
            return failure(request, 400, message)
        log.error("explore: %s: %s", request.url.path, error)
        return failure(request, 500, message)

    @app.exception_handler(ClientDisconnect)
    def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> Response:
        log.error("explore: %s", request.url.path, exc_info=error)
        return failure(request, 500, "the explorer failed at this page; its log says where")

    @app.exception_handler(RequestValidationError)
    def misuse(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return failure(request, 400, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        response = failure(request, error.status_code, _refusal(request, error))
        response.headers.update(error.headers or {})
        return response


def _refusal(request: Request, error: HTTPException) -> str:
    """Why no page answers a request, in one line."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "there is no such page here"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"this page takes no {request.method} request"
    return f"the request cannot be read ({error.detail}); send it again"
