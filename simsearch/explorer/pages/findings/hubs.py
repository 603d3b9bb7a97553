"""Works that are near to very many others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import lists_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.hubs import Hubs, hubs
from simsearch.reading.view import SnapshotView

HUBS_PER_PAGE = 48


@dataclass(frozen=True)
class HubsPage(PagedPage):
    """`works` are artworks of the ranking, each with how often it is among the nearest of another."""

    template: ClassVar[str] = "findings/hubs"

    space: str
    ranking: Hubs
    works: list[tuple[ViewArtwork, int]]


def hubs_page(site: Site, view: SnapshotView, space: str | None, page: int) -> HubsPage:
    space = space or view.spaces[0]
    ranking = site.derived(view, ("hubs", space), lambda: hubs(lists_of(site, view, space)))
    near = int((ranking.occurrences > 0).sum())
    paging = page_of(near, page, HUBS_PER_PAGE)
    entries = zip(ranking.order[paging.part], ranking.occurrences[paging.part], strict=True)
    works = [(view.artwork_at(int(number)), int(times)) for number, times in entries if times > 0]
    return HubsPage(paging, space, ranking, works)
