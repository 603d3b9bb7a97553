"""Routes of sets: a set by its numbers or its id, as page and as file; storing, changing and removing sets."""

from __future__ import annotations

import io
import json
from codecs import BOM_UTF8  # spreadsheets recognise UTF-8 by it
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from PIL import Image

from simsearch.errors import NotFoundError, UsageError
from simsearch.explorer.pages.addresses import Value
from simsearch.explorer.pages.set import SetChange, set_page
from simsearch.explorer.pages.sets import sets_page
from simsearch.explorer.server.requests import InSite, View
from simsearch.explorer.server.responses import addresses_of, open_to_viewers, respond
from simsearch.reading import iiif_manifest, set_files, sets, stored_sets
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.csv_text import csv_bytes
from simsearch.reading.downloads import MEDIA_TYPES, disposition, file_name
from simsearch.reading.sets import ArtworkSet

router = APIRouter(include_in_schema=False)

SetId = Annotated[str, Query(max_length=16)]
Ids = Annotated[str, Query(max_length=sets.MOST_TEXT)]
Name = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
# The types of forms' fields.
KeptSet = Annotated[str, Form(max_length=16)]
Member = Annotated[str, Form(max_length=2000)]
FormPage = Annotated[int, Form(ge=1)]


def chosen_set(
    view: View, ids: Ids = "", name: Name = "", set_id: SetId = ""
) -> tuple[ArtworkSet, int]:
    """The set that an address names, and the number of its artworks that are not in this snapshot."""
    if set_id:
        return stored_sets.numbers_of(view, stored_sets.read_set(view.snapshot.storage, set_id))
    return ArtworkSet(sets.clean_name(name), sets.decode(ids, len(view))), 0


Chosen = Annotated[tuple[ArtworkSet, int], Depends(chosen_set)]


@router.get("/set", response_class=HTMLResponse)
def page(
    request: Request,
    view: View,
    chosen: Chosen,
    set_id: SetId = "",
    page: PageNumber = 1,
    left_out: str = "",
    was: Name = "",
) -> Response:
    """The page of a set. `left_out` is the artwork that was just left out of a stored set, `was` the set's
    former name. Both changes can be undone."""
    change = SetChange(left_out, was) if set_id else SetChange()
    may_keep = request.app.state.may_write
    values = set_page(view, *chosen, set_id or None, page, change, may_keep=may_keep)
    return respond(request, view, values)


@router.get("/sets", response_class=HTMLResponse)
def kept(request: Request, view: View) -> Response:
    return respond(request, view, sets_page(view, may_keep=request.app.state.may_write))


@router.post("/sets")
def keep(
    request: Request,
    view: View,
    ids: Annotated[str, Form(max_length=sets.MOST_TEXT)],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    _may_keep(request)
    chosen = ArtworkSet(sets.clean_name(name), sets.decode(ids, len(view)))
    stored = stored_sets.store_set(view, chosen)
    to = addresses_of(request, view)
    return RedirectResponse(to.page("set", set_id=stored.set_id), HTTPStatus.SEE_OTHER)


@router.post("/sets/rename")
def rename(
    request: Request,
    view: View,
    set_id: KeptSet,
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    _may_keep(request)
    before = stored_sets.rename_set(view.snapshot.storage, set_id, sets.clean_name(name))
    return _back_to(request, view, set_id, was=before.name)


@router.post("/sets/leave-out")
def leave_out(
    request: Request,
    view: View,
    set_id: KeptSet,
    artwork: Member,
    page: FormPage = 1,
) -> Response:
    _may_keep(request)
    stored_sets.leave_out(view.snapshot.storage, set_id, artwork)
    return _back_to(request, view, set_id, left_out=artwork, page=page if page > 1 else None)


@router.post("/sets/put-back")
def put_back(
    request: Request,
    view: View,
    set_id: KeptSet,
    artwork: Member,
    page: FormPage = 1,
) -> Response:
    _may_keep(request)
    stored_sets.put_back(view.snapshot.storage, set_id, view.artwork(artwork).artwork_id)
    return _back_to(request, view, set_id, page=page if page > 1 else None)


@router.post("/sets/remove")
def remove(request: Request, view: View, set_id: KeptSet) -> Response:
    _may_keep(request)
    stored_sets.remove_set(view.snapshot.storage, set_id)
    return RedirectResponse(addresses_of(request, view).page("sets"), HTTPStatus.SEE_OTHER)


@router.get("/set.{kind}")
def table(view: View, chosen: Chosen, kind: str) -> Response:
    if kind not in MEDIA_TYPES:
        raise NotFoundError(f"no such file of a set; there are {' and '.join(MEDIA_TYPES)}")
    rows = set_files.set_table(view, chosen[0].numbers)
    data = BOM_UTF8 + csv_bytes(rows) if kind == "csv" else set_files.parquet_bytes(rows)
    return _file(data, MEDIA_TYPES[kind], chosen[0].name, kind)


@router.get("/set/manifest.json")
def manifest(request: Request, site: InSite, view: View, chosen: Chosen) -> Response:
    artwork_set, _ = chosen
    if not artwork_set.numbers:
        raise UsageError("a IIIF manifest holds one artwork at least; choose some")
    if len(artwork_set.numbers) > iiif_manifest.MOST:
        raise UsageError(
            f"a IIIF manifest holds {iiif_manifest.MOST} artworks at most; choose fewer"
        )
    to = addresses_of(request, view)
    root = f"{request.url.scheme}://{request.url.netloc}"

    def picture(artwork: ViewArtwork, size: int) -> str:
        address = to.picture(artwork.item, size)
        return address if address.startswith("https://") else root + address

    def measured(artwork: ViewArtwork) -> tuple[int, int] | None:
        try:
            data = site.pictures.thumbnail(view, artwork.item, 400)
        except NotFoundError:
            return None
        return Image.open(io.BytesIO(data)).size

    artworks = [view.artwork_at(number) for number in artwork_set.numbers]
    content = iiif_manifest.manifest(
        str(request.url), artwork_set.name, artworks, picture, measured
    )
    data = json.dumps(content, ensure_ascii=False, indent=1).encode()
    kind = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    answer = _file(data, kind, artwork_set.name, "json", "inline")
    answer.headers.update(open_to_viewers(request))
    return answer


def _back_to(request: Request, view: View, set_id: str, **query: Value) -> Response:
    address = addresses_of(request, view).page("set", set_id=set_id, **query)
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _may_keep(request: Request) -> None:
    if not request.app.state.may_write:
        raise UsageError(
            "sets are kept in the root only behind a password: set $SIMSEARCH_EXPLORE_TOKEN; "
            "the set's address holds it as well"
        )


def _file(
    data: bytes, kind: str, title: str, ending: str, handling: str = "attachment"
) -> Response:
    """A file named after the set, to save, or to show if `handling` is inline."""
    header = disposition(file_name(f"set {title}", ending), handling)
    return Response(data, media_type=kind, headers={"Content-Disposition": header})
