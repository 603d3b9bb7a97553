"""The JSON API, described in /api/v1/openapi.json and, for people, at /api."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from simsearch.explorer.pages.addresses import picture_path
from simsearch.explorer.pages.closer.detail import detail_answers
from simsearch.explorer.pages.picture import sightings_of
from simsearch.explorer.server.api_objects import (
    ArtworkOut,
    ArtworksOut,
    MetricOut,
    NeighbourOut,
    NeighboursOut,
    RejectOut,
    RejectsOut,
    SamePictureOut,
    SnapshotOut,
)
from simsearch.explorer.server.requests import Asked, AskedBox, InSite, View, Years
from simsearch.explorer.server.uploads import upload_place
from simsearch.reading.artworks import Neighbour, ViewArtwork
from simsearch.reading.picture_query import PictureResult, limit_chunks, read_picture
from simsearch.reading.same_pictures import Sighting
from simsearch.reading.sets import encode
from simsearch.reading.side_by_side import ARTWORKS_SHOWN
from simsearch.reading.view import SnapshotView
from simsearch.settings.shown_places import show_reject

router = APIRouter(prefix="/api/v1")

PageNumber = Annotated[int, Query(ge=1, description="counted from 1")]
PerSpace = Annotated[int, Query(ge=1, le=100, description="artworks per space")]
PageSize = Annotated[int, Query(ge=1, le=500, description="entries per page")]


@router.get("/snapshots")
def snapshots(site: InSite) -> list[SnapshotOut]:
    """The published snapshots, newest first."""
    return [
        SnapshotOut(
            snapshot_id=snapshot.snapshot_id,
            created=snapshot.created,
            collection=snapshot.collection,
            artworks=snapshot.artworks,
            spaces=list(snapshot.spaces),
            newest=snapshot.newest,
        )
        for snapshot in site.library.listed()
    ]


@router.get("/artworks")
def artworks(
    site: InSite, view: View, asked: Asked, page: PageNumber = 1, size: PageSize = 50
) -> ArtworksOut:
    """Artworks with the words of `q` in any field, or of `title`, `artist`, `medium` in it; paged."""
    numbers = site.search(view, asked)
    part = numbers[(page - 1) * size : page * size]
    return ArtworksOut(
        snapshot=view.snapshot_id,
        total=len(numbers),
        page=page,
        artworks=[_artwork(view, view.artwork_at(int(number))) for number in part],
    )


@router.get("/artwork")
def artwork(
    view: View, id: Annotated[str, Query(description="artwork_id of the catalog")]
) -> ArtworkOut:
    """One artwork."""
    return _artwork(view, view.artwork(id))


@router.get("/neighbours")
def neighbours(
    view: View,
    id: Annotated[str, Query(description="artwork_id of the catalog")],
    search: Annotated[
        Literal["artworks", "annoy", "exact"],
        Query(description="nearest other artworks, or the evaluated images with copies among them"),
    ] = "artworks",
    n: Annotated[int, Query(ge=1, le=100, description="how many, of `artworks`")] = ARTWORKS_SHOWN,
) -> NeighboursOut:
    """The nearest of an artwork in every space."""
    artwork = view.artwork(id)
    return NeighboursOut(
        snapshot=view.snapshot_id,
        artwork_id=artwork.artwork_id,
        trained={space: space not in view.untrained for space in view.spaces},
        spaces={
            space: [
                _neighbour(view, neighbour)
                for neighbour in (
                    view.nearest_artworks(space, artwork, n)
                    if search == "artworks"
                    else view.stored(space, search).of(artwork)
                )
            ]
            for space in view.spaces
        },
    )


@router.get("/metrics")
def metrics(view: View) -> list[MetricOut]:
    """Every measured mean of the snapshot."""
    return [MetricOut(**row) for row in view.metrics.to_pylist()]


@router.get("/rejects")
def rejects(view: View, page: PageNumber = 1, size: PageSize = 50) -> RejectsOut:
    """Images that could not be used, and why; paged."""
    rows = view.rejects.slice((page - 1) * size, size).to_pylist()
    return RejectsOut(
        snapshot=view.snapshot_id,
        total=view.rejects.num_rows,
        page=page,
        rejects=[RejectOut(**show_reject(row)) for row in rows],
    )


@router.post(
    "/query",
    response_class=StreamingResponse,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def query(
    request: Request,
    site: InSite,
    view: View,
    box: AskedBox,
    years: Years,
    n: PerSpace = ARTWORKS_SHOWN,
) -> StreamingResponse:
    """The artworks nearest to the picture in the body, or to its part in the box, from all years or from
    some: a line of JSON for each space as soon as it is ready. A last line has under `same_pictures` those
    that show the same picture, or under `error` why these are not known. The picture is not stored."""
    settings = site.library.config.explore
    async with upload_place(request):
        data = b"".join(
            [chunk async for chunk in limit_chunks(request.stream(), settings.max_upload_bytes)]
        )
        picture = await run_in_threadpool(read_picture, settings, view, data, box)
    among = await run_in_threadpool(site.of_years, view, years)
    answers = site.picture_query.answers(view, picture, list(view.spaces), n, among=among)

    def lines() -> Iterator[dict[str, object]]:
        yield from (_answer(view, answer) for answer in answers)
        same = sightings_of(site, view, picture, among)
        yield {
            "same_pictures": [_sighting(view, own).model_dump() for own in same.sightings],
            "error": same.error,
        }

    return _stream(lines())


@router.get("/detail", response_class=StreamingResponse)
def detail(
    site: InSite,
    view: View,
    box: AskedBox,
    years: Years,
    id: Annotated[str, Query(description="artwork_id of the catalog")],
    n: PerSpace = ARTWORKS_SHOWN,
) -> StreamingResponse:
    """The other artworks nearest to a part of an artwork's picture, in the form of `query`."""
    answers = detail_answers(site, view, view.artwork(id), box, years, n)
    return _stream(_answer(view, answer) for answer in answers)


def _stream(objects: Iterable[dict[str, object]]) -> StreamingResponse:
    lines = ((json.dumps(line, ensure_ascii=False) + "\n").encode() for line in objects)
    # With this header the compressing middleware passes on each line at once.
    headers = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def _answer(view: SnapshotView, answer: PictureResult) -> dict[str, object]:
    return {
        "space": answer.space,
        "trained": answer.space not in view.untrained,
        "seconds": round(answer.seconds, 3),
        "error": answer.error,
        "set": encode(artwork.number for _, artwork in answer.neighbours),
        "matches": [_neighbour(view, neighbour).model_dump() for neighbour, _ in answer.neighbours],
    }


def _sighting(view: SnapshotView, sighting: Sighting) -> SamePictureOut:
    return SamePictureOut(
        artwork=_artwork(view, sighting.artwork),
        relation=sighting.relation,
        words=sighting.words,
        evidence=sighting.evidence,
        mirrored=sighting.mirrored,
        inliers=sighting.inliers,
        false_alarms=sighting.false_alarms,
    )


def _artwork(view: SnapshotView, artwork: ViewArtwork) -> ArtworkOut:
    # Catalogs of earlier versions lack the newest columns.
    row = {name: artwork.row.get(name) for name in ArtworkOut.model_fields if name != "thumbnail"}
    return ArtworkOut(
        **{**row, "artists": row["artists"] or []}, thumbnail=_thumbnail(view, artwork.item)
    )


def _neighbour(view: SnapshotView, neighbour: Neighbour) -> NeighbourOut:
    artwork = view.artwork_of(neighbour.item)
    return NeighbourOut(
        rank=neighbour.rank,
        artwork_id=artwork.artwork_id,
        profile=view.profile_of(neighbour.item),
        title=artwork.row["title"],
        artists=artwork.row["artists"] or [],
        date=artwork.row["date"],
        distance=neighbour.distance,
        score=neighbour.score,
        thumbnail=_thumbnail(view, neighbour.item),
    )


def _thumbnail(view: SnapshotView, item: int) -> str:
    return f"/{picture_path(view, item, 400)}?snapshot={view.snapshot_id}"
