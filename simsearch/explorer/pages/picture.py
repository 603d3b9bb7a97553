"""The page that a picture is sent to, and what is found for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.closer.detail import FIRST_BOX
from simsearch.explorer.pages.page import Page
from simsearch.reading.box import Box
from simsearch.reading.picture_query import PictureResult
from simsearch.reading.same_pictures import Sighting
from simsearch.reading.search import Search
from simsearch.settings.sections.operation import ExploreConfig

MATCHES = 12  # artworks per space that a picture is answered with


@dataclass(frozen=True)
class PicturePage(Page):
    """`answers`, and the artworks that show the `same` picture, are empty until a picture is sent; `years`
    are those that the search is confined to."""

    template: ClassVar[str] = "picture"

    years: Search
    answers: Sequence[PictureResult]
    same: Sequence[Sighting]
    limit_bytes: int
    limit_pixels: int
    matches: int
    first_box: Box


def picture_page(
    settings: ExploreConfig,
    years: Search,
    answers: Sequence[PictureResult] = (),
    same: Sequence[Sighting] = (),
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
