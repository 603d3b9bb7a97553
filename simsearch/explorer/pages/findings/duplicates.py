"""Groups of works whose pictures are as good as the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import groups_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.findings.duplicates import DuplicateGroup, Entry, entries
from simsearch.reading.sets import MOST, encode
from simsearch.reading.view import SnapshotView

GROUPS_PER_PAGE = 12


@dataclass(frozen=True)
class DuplicatesPage(PagedPage):
    """`stored` says whether the snapshot lists near-duplicates. There are `total` groups of `works` works
    in all; `set_of` are these works as addresses have a set, None for more than a set holds. `first` is
    the place of the first group shown, from 1."""

    template: ClassVar[str] = "findings/duplicates"

    stored: bool
    total: int
    works: int
    set_of: str | None
    groups: list[tuple[DuplicateGroup, list[Entry]]]
    first: int


def duplicates_page(site: Site, view: SnapshotView, page: int) -> DuplicatesPage:
    stored = groups_of(site, view)
    groups = stored or []
    paging = page_of(len(groups), page, GROUPS_PER_PAGE)
    works = {number for group in groups for number in group.members}
    return DuplicatesPage(
        paging=paging,
        stored=stored is not None,
        total=len(groups),
        works=len(works),
        set_of=encode(works) if len(works) <= MOST else None,
        groups=[(group, entries(view, group)) for group in groups[paging.part]],
        first=paging.part.start + 1,
    )
