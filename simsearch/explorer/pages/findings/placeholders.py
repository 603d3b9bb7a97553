"""Pictures that stand for many works, and files that several works share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import placeholders_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.findings.placeholders import Placeholder, SharedPicture, shared_pictures
from simsearch.reading.view import SnapshotView

PICTURES_PER_PAGE = 12


@dataclass(frozen=True)
class PlaceholdersPage(PagedPage):
    """`least` is the number of works from which on a picture is left out, None: none is. Of `shared_total`
    files that several works have, those in `shared` are shown."""

    template: ClassVar[str] = "findings/placeholders"

    placeholders: list[Placeholder]
    least: int | None
    shared_total: int
    shared: list[SharedPicture]


def placeholders_page(site: Site, view: SnapshotView, page: int) -> PlaceholdersPage:
    shared = site.derived(view, "shared", lambda: shared_pictures(view))
    paging = page_of(len(shared), page, PICTURES_PER_PAGE)
    return PlaceholdersPage(
        paging=paging,
        placeholders=list(placeholders_of(site, view).values()),
        least=view.plan.settings.catalog.placeholder_artworks,
        shared_total=len(shared),
        shared=shared[paging.part],
    )
