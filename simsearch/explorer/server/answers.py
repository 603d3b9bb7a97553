"""How a page is answered: rendered with its addresses, under its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from simsearch.explorer.data.view import SnapshotView
from simsearch.explorer.pages.addresses import LiveAddresses
from simsearch.explorer.server.requests import site_of
from simsearch.explorer.server.security import content_security_policy

FOR_EVER = "private, max-age=31536000, immutable"


def prefix_of(request: Request) -> str:
    """Where the explorer is mounted, without a slash at the end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def addresses_of(request: Request, view: SnapshotView) -> LiveAddresses:
    return LiveAddresses(view, prefix_of(request))


def open_to_viewers(request: Request) -> dict[str, str]:
    """Headers that let a viewer on another site show an answer.

    Only one whose address names its snapshot is open: nobody guesses that name, so a stranger's page
    that asks a curator's own explorer blindly reads nothing.
    """
    if "snapshot" not in request.query_params:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


def shown(
    request: Request,
    view: SnapshotView,
    name: str,
    values: Mapping[str, Any],
    image_hosts: Sequence[str] = (),
) -> Response:
    """The page made of the template `name`; `image_hosts` are servers that its pictures come from,
    beside those of the snapshot."""
    html = site_of(request).render(name, view, addresses_of(request, view), **values)
    policy = content_security_policy((*view.iiif_hosts, *image_hosts))
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})
