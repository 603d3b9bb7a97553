"""How a page is answered: rendered with its addresses, under its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import HTMLResponse, Response

from simsearch.explorer.pages.addresses import LiveAddresses
from simsearch.explorer.server.requests import site_of
from simsearch.explorer.server.security import content_security_policy
from simsearch.reading.artworks import SAID
from simsearch.reading.view import SnapshotView

NAMES_SHOWN = 10  # of the parameters that a page does not know
# What the scripts of a page write into its address and read there.
OF_SCRIPTS = {
    "/map": frozenset({"colour", "q", "years", "at", "area", "set", "set_name"}),
    "/zoom": frozenset({"x", "y", "zoom"}),
}
OF_CAMPAIGNS = frozenset({"fbclid", "gclid", "msclkid", "mc_cid", "mc_eid"})
"""What newsletters and networks add to a link, beside utm_…; it asks for nothing."""
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


def address_notices(request: Request, values: Mapping[str, Any]) -> list[str]:
    """What the address asks for and the page does not know: parameters, and a page of results that there
    is not."""
    query = request.query_params
    notices = []
    unknown = [name for name in dict.fromkeys(query) if not _known(request, name)]
    if unknown and request.method == "GET":
        names = ", ".join(name[:SAID] for name in unknown[:NAMES_SHOWN])
        if others := len(unknown[NAMES_SHOWN:]):
            names += f" and {others:,} others"
        notices.append(f"The address asks for something that this page does not know: {names}.")
    page, count = values.get("page"), values.get("page_count")
    wanted = query.get("page")
    if page is not None and wanted and wanted.lstrip("0") != str(page):
        pages = "is one page" if count == 1 else f"are {count:,} pages"
        notices.append(f"There is no page {wanted[:SAID]}: there {pages}. This is page {page:,}.")
    return notices


def _known(request: Request, name: str) -> bool:
    route = request.scope["route"]
    scripts = OF_SCRIPTS.get(route.path, frozenset())
    if name.startswith("utm_") or name in OF_CAMPAIGNS:
        return True
    of_facet = route.path == "/map" and name.startswith("is.")
    return name in _declared(route.dependant) | scripts or of_facet


def _declared(dependant: Dependant) -> set[str]:
    """The names of all parameters that a route and what it depends on read from an address."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_declared(below) for below in dependant.dependencies))


def shown(
    request: Request,
    view: SnapshotView,
    name: str,
    values: Mapping[str, Any],
    image_hosts: Sequence[str] = (),
) -> Response:
    """The page made of the template `name`; `image_hosts` are servers that its pictures come from,
    beside those of the snapshot."""
    values = {**values, "notices": address_notices(request, values)}
    html = site_of(request).render(name, view, addresses_of(request, view), **values)
    policy = content_security_policy((*view.iiif_hosts, *image_hosts))
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})
