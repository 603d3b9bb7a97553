"""Works whose neighbours no two spaces agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import compared_spaces, lists_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.disagreement import Disagreement, disagreement
from simsearch.reading.findings.neighbour_lists import NeighbourLists
from simsearch.reading.view import SnapshotView

ROWS_PER_PAGE = 12
NEAREST_SHOWN = 4  # of each space


@dataclass(frozen=True)
class DisagreementRow:
    """An artwork, the share of its neighbours that two spaces have in common, and its nearest by space."""

    artwork: ViewArtwork
    agreement: float
    nearest: dict[str, list[ViewArtwork]]


@dataclass(frozen=True)
class DisagreementPage(PagedPage):
    """`ranking` is None where there are not two `spaces` to compare; `first` is the place of the first row
    in the ranking, from 1."""

    template: ClassVar[str] = "findings/disagreement"

    spaces: tuple[str, ...]
    ranking: Disagreement | None
    rows: list[DisagreementRow]
    first: int


def disagreement_page(site: Site, view: SnapshotView, page: int) -> DisagreementPage:
    spaces = compared_spaces(view)
    if len(spaces) < 2:
        return DisagreementPage(page_of(0, page, ROWS_PER_PAGE), spaces, None, [], 1)
    lists = {space: lists_of(site, view, space) for space in spaces}
    ranking = site.derived(view, "disagreement", lambda: disagreement(lists))
    paging = page_of(len(view), page, ROWS_PER_PAGE)
    numbers = zip(ranking.order[paging.part], ranking.agreement[paging.part], strict=True)
    rows = [
        DisagreementRow(
            view.artwork_at(int(number)),
            float(agreement),
            {space: _nearest(view, lists[space], int(number)) for space in spaces},
        )
        for number, agreement in numbers
    ]
    return DisagreementPage(paging, spaces, ranking, rows, paging.part.start + 1)


def _nearest(view: SnapshotView, lists: NeighbourLists, number: int) -> list[ViewArtwork]:
    nearest = lists.numbers[number, :NEAREST_SHOWN]
    return [view.artwork_at(int(other)) for other in nearest if other >= 0]
