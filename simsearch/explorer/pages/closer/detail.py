"""A question about a part of an artwork's picture, and what is found for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from simsearch.errors import UsageError
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.box import Box
from simsearch.reading.picture_query import GivenPicture, PictureResult
from simsearch.reading.search import Search
from simsearch.reading.side_by_side import ARTWORKS_SHOWN
from simsearch.reading.view import SnapshotView

FIRST_BOX = Box(30, 30, 40, 40)  # drawn before the first search


@dataclass(frozen=True)
class DetailPage(Page):
    """`box` is the part that is asked about, or the one to begin with where none is `asked`. `answers` are
    empty where the page's script asks for them; `matches` is how many artworks of each space."""

    template: ClassVar[str] = "closer/detail"

    years: Search
    artwork: ViewArtwork
    box: Box
    asked: bool
    answers: list[PictureResult]
    matches: int


def detail_page(
    site: Site,
    view: SnapshotView,
    artwork_id: str,
    box: Box | None,
    years: Search,
    *,
    answered: bool,
) -> DetailPage:
    artwork = view.artwork(artwork_id)
    answers = (
        list(detail_answers(site, view, artwork, box, years, ARTWORKS_SHOWN))
        if answered and box
        else []
    )
    return DetailPage(
        years=years,
        artwork=artwork,
        box=box or FIRST_BOX,
        asked=box is not None,
        answers=answers,
        matches=ARTWORKS_SHOWN,
    )


def detail_answers(
    site: Site, view: SnapshotView, artwork: ViewArtwork, box: Box | None, years: Search, n: int
) -> Iterator[PictureResult]:
    """Yield, for each space as soon as it is ready, the `n` other artworks of these years nearest to the part
    of the picture."""
    if box is None:
        raise UsageError("give left, top, width and height of the part, in per cent")
    part = GivenPicture(box.cut(site.originals.whole(view, artwork.item)))
    return site.picture_query.answers(
        view, part, list(view.spaces), n, leave_out=artwork, among=site.of_years(view, years)
    )
