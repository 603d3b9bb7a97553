"""Serve the explorer from this machine, and open the browser on it."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser

import uvicorn
from fastapi import FastAPI

from simsearch.errors import SimsearchError, UsageError
from simsearch.explorer.pages.site import Site
from simsearch.explorer.server.app import TOKEN_VARIABLE, create_app, token_from_environment
from simsearch.explorer.server.limits import BoundedProtocol
from simsearch.explorer.server.security import LOOPBACK
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import ExploreConfig

log = logging.getLogger(__name__)


def serve(config: Config, roots: list[str], *, browser: bool) -> None:
    """Serve until interrupted. Raises UsageError if the server cannot listen at the address."""
    settings = config.explore
    token = token_from_environment()
    app = create_app(config, roots, token)
    listener = _listen(settings)
    port = listener.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if settings.host not in LOOPBACK and token is None:
        log.warning(
            "explore: open to every machine that reaches %s; set $%s to ask for a password",
            settings.host,
            TOKEN_VARIABLE,
        )
    print(f"explorer: {address}  (Ctrl-C ends it)", flush=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    threading.Thread(target=_prepare, args=[app.state.site], daemon=True).start()
    server_of(app).run(sockets=[listener])


def _prepare(site: Site) -> None:
    try:
        site.prepare(site.library.view())
    except SimsearchError as error:
        log.warning("explore: not made ready, pages say why: %s", error)


def server_of(app: FastAPI) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app, http=BoundedProtocol, log_level="warning", server_header=False, date_header=True
        )
    )


def _listen(settings: ExploreConfig) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise UsageError(
            f"explore.port: cannot listen on {settings.host}:{settings.port}: {error.strerror}; "
            "end what uses it or give another, such as explore.port=0"
        ) from None
