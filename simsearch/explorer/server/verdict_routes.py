"""The page on which people judge near-duplicates, and the ways to give a verdict and to take it back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from simsearch.errors import UsageError
from simsearch.explorer.pages.findings.verdicts import verdicts_page
from simsearch.explorer.server.requests import InSite, View
from simsearch.explorer.server.responses import addresses_of, respond
from simsearch.reading.questions import MOST_LEFT_OUT, LeftOut
from simsearch.reading.verdicts import MOST_TOGETHER, judge, take_back

router = APIRouter(prefix="/findings/verdicts", include_in_schema=False)

MOST_NAMES = 2000  # characters of the artists, and of the folders, that an address leaves out
MOST_PLACE = 10_000_000
Names = Annotated[str, Query(max_length=MOST_NAMES, description="one a line")]
Work = Annotated[str, Query(max_length=2000)]
Time = Annotated[str, Query(max_length=40)]
# The types of forms' fields.
FormNames = Annotated[str, Form(max_length=MOST_NAMES)]
FormPlace = Annotated[int, Form(ge=0, le=MOST_PLACE)]
FormTime = Annotated[str, Form(max_length=40)]
Who = Annotated[str, Form(max_length=200)]
Works = Annotated[list[Annotated[str, Form(max_length=2000)]], Form(max_length=MOST_TOGETHER)]


def left_out_of(artist: Names = "", folder: Names = "") -> LeftOut:
    """The artists and folders that an address leaves out, one a line."""
    return _left_out(artist, folder)


def left_out_by(artist: FormNames = "", folder: FormNames = "") -> LeftOut:
    """The same of a form."""
    return _left_out(artist, folder)


def _left_out(artist: str, folder: str) -> LeftOut:
    names = [tuple(filter(None, text.replace("\r", "").split("\n"))) for text in (artist, folder)]
    if max(map(len, names)) > MOST_LEFT_OUT:
        raise UsageError(f"{MOST_LEFT_OUT} artists or folders at most are left out; put one back")
    return LeftOut(*names)


@router.get("", response_class=HTMLResponse)
def page(
    request: Request,
    site: InSite,
    view: View,
    left_out: Annotated[LeftOut, Depends(left_out_of)],
    place: Annotated[int, Query(ge=0, le=MOST_PLACE)] = 0,
    id: Work = "",
    other: Work = "",
    given: Time = "",
) -> Response:
    """The question at a place, or on the pair `id` and `other`. `given` is the time of the last verdict."""
    may_judge = request.app.state.may_write
    pair = (id, other) if id or other else None
    values = verdicts_page(site, view, left_out, place, pair, given, may_judge=may_judge)
    return respond(request, view, values)


@router.post("")
def give(
    request: Request,
    view: View,
    left_out: Annotated[LeftOut, Depends(left_out_by)],
    work: Works,
    verdict: Annotated[str, Form(max_length=40)],
    who: Who = "",
    place: FormPlace = 0,
) -> Response:
    _may_judge(request)
    at = judge(view, [view.artwork(artwork_id) for artwork_id in work], verdict, who)
    return _back_to(request, view, left_out, place=place, given=at)


@router.post("/undo")
def undo(
    request: Request,
    view: View,
    left_out: Annotated[LeftOut, Depends(left_out_by)],
    given: FormTime,
    who: Who = "",
    place: FormPlace = 0,
) -> Response:
    _may_judge(request)
    take_back(view, given, who)
    return _back_to(request, view, left_out, place=place)


def _back_to(request: Request, view: View, left_out: LeftOut, **query: str | int) -> Response:
    address = addresses_of(request, view).page(
        "findings/verdicts",
        artist="\n".join(left_out.artists),
        folder="\n".join(left_out.folders),
        **query,
    )
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _may_judge(request: Request) -> None:
    if not request.app.state.may_write:
        raise UsageError(
            "verdicts are kept in the root only behind a password: set $SIMSEARCH_EXPLORE_TOKEN"
        )
