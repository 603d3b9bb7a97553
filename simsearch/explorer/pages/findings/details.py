"""Parts that return in several works, cut out side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import confusers_of, details_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.shared_details import Part, Rectangle, SharedDetail
from simsearch.reading.sets import encode_if_few
from simsearch.reading.view import SnapshotView

DETAILS_PER_PAGE = 12
PARTS_SHOWN = 12  # of a detail
EXAMPLES = 6  # of a region that returns at one place

CutOut = tuple[ViewArtwork, Rectangle]


@dataclass(frozen=True)
class DetailsPage(PagedPage):
    """There are `total` details, of which those of this page are in `details`, with their first works and
    the box around the part in each. `confusers` are the regions that return at one place in many works:
    how many works, some of them, and all as addresses have a set, None for more than a set holds."""

    template: ClassVar[str] = "findings/details"

    total: int
    details: list[tuple[SharedDetail, list[CutOut]]]
    confusers: list[tuple[int, list[CutOut], str | None]]


def details_page(site: Site, view: SnapshotView, page: int) -> DetailsPage:
    details = details_of(site, view)
    paging = page_of(len(details), page, DETAILS_PER_PAGE)
    return DetailsPage(
        paging=paging,
        total=len(details),
        details=[
            (detail, _cut_outs(view, detail.parts[:PARTS_SHOWN])) for detail in details[paging.part]
        ],
        confusers=[
            (
                len(parts),
                _cut_outs(view, parts[:EXAMPLES]),
                encode_if_few({part.number for part in parts}),
            )
            for parts in confusers_of(site, view)
        ],
    )


def _cut_outs(view: SnapshotView, parts: tuple[Part, ...]) -> list[CutOut]:
    return [(view.artwork_at(part.number), part.box) for part in parts]
