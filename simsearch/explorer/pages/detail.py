"""The page of a search by a part of an artwork's picture, and its results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simsearch.errors import UsageError
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import Artwork
from simsearch.reading.box import Box
from simsearch.reading.picture_query import PictureResult
from simsearch.reading.search import Search
from simsearch.reading.side_by_side import ARTWORKS_SHOWN
from simsearch.reading.view import SnapshotView

FIRST_BOX = Box(30, 30, 40, 40)  # drawn before the first search


def detail_page(
    site: Site,
    view: SnapshotView,
    artwork_id: str,
    box: Box | None,
    years: Search,
    *,
    answered: bool,
) -> dict[str, Any]:
    artwork = view.artwork(artwork_id)
    answers = (
        list(detail_answers(site, view, artwork, box, years, ARTWORKS_SHOWN))
        if answered and box
        else []
    )
    return {
        "years": years,
        "artwork": artwork,
        "box": box or FIRST_BOX,
        "asked": box is not None,
        "answers": answers,
        "matches": ARTWORKS_SHOWN,
    }


def detail_answers(
    site: Site, view: SnapshotView, artwork: Artwork, box: Box | None, years: Search, n: int
) -> Iterator[PictureResult]:
    """Yield, for each space as soon as it is ready, the `n` other artworks of these years nearest to the part
    of the picture."""
    if box is None:
        raise UsageError("give left, top, width and height of the part, in per cent")
    part = box.cut(site.originals.whole(view, artwork.item))
    return site.picture_query.answers(
        view, part, list(view.spaces), n, leave_out=artwork, among=site.of_years(view, years)
    )
