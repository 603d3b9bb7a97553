"""The page that a picture is sent to, and what is found for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from simsearch.errors import SimsearchError
from simsearch.explorer.pages.closer.detail import FIRST_BOX
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.box import Box
from simsearch.reading.picture_query import GivenPicture, PictureResult
from simsearch.reading.same_pictures import Sighting
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView
from simsearch.settings.sections.operation import ExploreConfig
from simsearch.settings.shown_places import show_text

log = logging.getLogger(__name__)

MATCHES = 12  # artworks per space that a picture is answered with


@dataclass(frozen=True)
class Sightings:
    """The artworks that show a picture, or the `error` for which these are not known."""

    sightings: Sequence[Sighting] = ()
    error: str | None = None


@dataclass(frozen=True)
class PicturePage(Page):
    """`answers`, and the artworks that show the `same` picture, are empty until a picture is sent; `years`
    are those that the search is confined to."""

    template: ClassVar[str] = "picture"

    years: Search
    answers: Sequence[PictureResult]
    same: Sightings
    limit_bytes: int
    limit_pixels: int
    matches: int
    first_box: Box


def picture_page(
    settings: ExploreConfig,
    years: Search,
    answers: Sequence[PictureResult] = (),
    same: Sightings = Sightings(),
) -> PicturePage:
    return PicturePage(
        years=years,
        answers=answers,
        same=same,
        limit_bytes=settings.max_upload_bytes,
        limit_pixels=settings.max_upload_pixels,
        matches=MATCHES,
        first_box=FIRST_BOX,
    )


def sightings_of(
    site: Site, view: SnapshotView, picture: GivenPicture, among: pa.Array | None
) -> Sightings:
    """The artworks of the ids in `among` that show a picture. What the spaces found stands beside them,
    also where these cannot be read."""
    try:
        return Sightings(site.picture_query.same_pictures(view, picture, among))
    except SimsearchError as error:
        log.warning("explore: %s", error)
        return Sightings(error=show_text(str(error)))
