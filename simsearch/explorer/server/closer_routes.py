"""Pages that look closer at an artwork: a walk to another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from simsearch.explorer.pages.walk import walk_page
from simsearch.explorer.server.answers import shown
from simsearch.explorer.server.requests import InSite, View

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
    return shown(request, view, "walk", values)
