"""Responses with a page: rendered with its addresses, under its content policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import HTMLResponse, Response

from simsearch.explorer.pages.addresses import LiveAddresses
from simsearch.explorer.pages.page import Page, PagedPage
from simsearch.explorer.server.requests import site_of
from simsearch.explorer.server.security import content_security_policy
from simsearch.reading.artworks import SAID
from simsearch.reading.view import SnapshotView

NAMES_SHOWN = 10  # parameters that a message names
# Parameters that a page's scripts write into its address and read there.
OF_SCRIPTS = {
    "/map": frozenset({"colour", "q", "years", "at", "area", "set", "set_name"}),
}
OF_CAMPAIGNS = frozenset({"fbclid", "gclid", "msclkid", "mc_cid", "mc_eid"})
"""Parameters that newsletters and networks add to a link, beside utm_…. They have no effect."""
FOR_EVER = "private, max-age=31536000, immutable"


def prefix_of(request: Request) -> str:
    """The path at which the explorer is mounted, without a slash at the end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def addresses_of(request: Request, view: SnapshotView) -> LiveAddresses:
    return LiveAddresses(view, prefix_of(request))


def open_to_viewers(request: Request) -> dict[str, str]:
    """Headers that let a viewer on another site show a response.

    Only a response whose address names its snapshot is open. Nobody guesses that name, so a stranger's page
    that blindly sends requests to a curator's own explorer reads nothing.
    """
    if "snapshot" not in request.query_params:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


def address_notices(request: Request, page: Page) -> list[str]:
    """Notices about parameters in the address that the page does not know or that have several values, and
    about a page of results that does not exist."""
    query = request.query_params
    notices = []
    unknown = [name for name in dict.fromkeys(query) if not _is_known(request, name)]
    if unknown and request.method == "GET":
        names = ", ".join(name[:SAID] for name in unknown[:NAMES_SHOWN])
        if others := len(unknown[NAMES_SHOWN:]):
            names += f" and {others:,} others"
        notices.append(f"The address asks for something that this page does not know: {names}.")
    if repeated := [name for name in dict.fromkeys(query) if _is_repeated(request, name)]:
        names = ", ".join(name[:SAID] for name in repeated[:NAMES_SHOWN])
        notices.append(f"The address has several values of {names}. The last one counts.")
    wanted = query.get("page")
    if isinstance(page, PagedPage) and wanted and float(wanted) != page.paging.number:
        number, count = page.paging.number, page.paging.count
        pages = "is one page" if count == 1 else f"are {count:,} pages"
        notices.append(f"There is no page {wanted[:SAID]}: there {pages}. This is page {number:,}.")
    return notices


def _is_known(request: Request, name: str) -> bool:
    route = request.scope["route"]
    scripts = OF_SCRIPTS.get(route.path, frozenset())
    if name.startswith("utm_") or name in OF_CAMPAIGNS:
        return True
    of_facet = route.path == "/map" and name.startswith("is.")
    return name in _declared_parameters(route.dependant) | scripts or of_facet


def _is_repeated(request: Request, name: str) -> bool:
    """Whether the address has different values of a parameter of which the page reads one."""
    if len(set(request.query_params.getlist(name))) < 2:
        return False
    route = request.scope["route"]
    scripts = OF_SCRIPTS.get(route.path, frozenset())
    return name in _declared_parameters(route.dependant, lists=False) | scripts


def _declared_parameters(dependant: Dependant, *, lists: bool = True) -> set[str]:
    """The names of all parameters that a route and its dependencies read from an address, with those that
    are `lists` of values or without them."""
    own = {
        field.alias
        for field in dependant.query_params
        if lists or not _is_list(field.field_info.annotation)
    }
    return own.union(
        *(_declared_parameters(below, lists=lists) for below in dependant.dependencies)
    )


def _is_list(annotation: object) -> bool:
    """Whether a type is a list of values, or one of which there may be none."""
    return any(get_origin(kind) is list for kind in (annotation, *get_args(annotation)))


def respond(
    request: Request,
    view: SnapshotView,
    page: Page,
    image_hosts: Sequence[str] = (),
) -> Response:
    """The page; `image_hosts` are servers that its pictures come from, beside those of the snapshot."""
    notices = address_notices(request, page)
    html = site_of(request).render(page, view, addresses_of(request, view), notices)
    policy = content_security_policy((*view.iiif_hosts, *image_hosts))
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})
