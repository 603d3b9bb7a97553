"""The pages of findings and the pictures that only they show."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from simsearch.errors import NotFoundError
from simsearch.explorer.pages.addresses import LiveAddresses
from simsearch.explorer.pages.derived import learned_of, placeholders_of
from simsearch.explorer.pages.findings.changes import changes_page
from simsearch.explorer.pages.findings.details import details_page
from simsearch.explorer.pages.findings.disagreement import disagreement_page
from simsearch.explorer.pages.findings.duplicates import CHANCES, duplicates_page
from simsearch.explorer.pages.findings.hubs import hubs_page
from simsearch.explorer.pages.findings.learned import learned_page
from simsearch.explorer.pages.findings.other_hands import other_hands_page
from simsearch.explorer.pages.findings.overview import overview_page
from simsearch.explorer.pages.findings.placeholders import placeholders_page
from simsearch.explorer.server.requests import InSite, View
from simsearch.explorer.server.responses import FOR_EVER, addresses_of, respond
from simsearch.reading.findings.learned import example_png
from simsearch.reading.view import SnapshotView

router = APIRouter(prefix="/findings", include_in_schema=False, default_response_class=HTMLResponse)

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


@router.get("")
def overview(request: Request, site: InSite, view: View) -> Response:
    return respond(request, view, overview_page(site, view))


@router.get("/duplicates")
def duplicates(
    request: Request,
    site: InSite,
    view: View,
    chance: Annotated[str, Query(max_length=20)] = CHANCES[0],
    page: PageNumber = 1,
) -> Response:
    return respond(request, view, duplicates_page(site, view, page, chance))


@router.get("/details")
def details(request: Request, site: InSite, view: View, page: PageNumber = 1) -> Response:
    return respond(request, view, details_page(site, view, page))


@router.get("/placeholders")
def placeholders(request: Request, site: InSite, view: View, page: PageNumber = 1) -> Response:
    return respond(request, view, placeholders_page(site, view, page))


@router.get("/hubs")
def hubs(
    request: Request, site: InSite, view: View, space: str | None = None, page: PageNumber = 1
) -> Response:
    return respond(request, view, hubs_page(site, view, space, page))


@router.get("/disagreement")
def disagreement(request: Request, site: InSite, view: View, page: PageNumber = 1) -> Response:
    return respond(request, view, disagreement_page(site, view, page))


@router.get("/other-hands")
def other_hands(
    request: Request, site: InSite, view: View, space: str | None = None, page: PageNumber = 1
) -> Response:
    return respond(request, view, other_hands_page(site, view, space, page))


@router.get("/learned")
def learned(request: Request, site: InSite, view: View) -> Response:
    return respond(request, view, learned_page(site, view))


@router.get("/changes")
def changes(request: Request, site: InSite, view: View) -> Response:
    def addresses(older: SnapshotView) -> LiveAddresses:
        return addresses_of(request, older)

    return respond(request, view, changes_page(site, view, addresses))


@router.get("/placeholders/{short_hash}-{size}.webp")
def placeholder(site: InSite, view: View, short_hash: str, size: int) -> Response:
    left_out = placeholders_of(site, view).get(short_hash)
    if left_out is None:
        raise NotFoundError("no placeholder of that name in this snapshot")
    data = site.pictures.of_uri(view, left_out.image_uri, size)
    return Response(data, media_type="image/webp", headers={"Cache-Control": FOR_EVER})


@router.get("/learned/{number}/{kind}-{place}.png")
def example(
    request: Request, site: InSite, view: View, number: int, kind: str, place: int
) -> Response:
    trainings = learned_of(site, view)
    if not 0 <= number < len(trainings):
        raise NotFoundError("no learned space of that number in this snapshot")
    training = trainings[number].training
    tag = f'"{training.weights_sha256[:20]}-{kind}-{place}"'
    headers = {"ETag": tag, "Cache-Control": FOR_EVER}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    data = example_png(view, training, kind, place)
    return Response(data, media_type="image/png", headers=headers)
