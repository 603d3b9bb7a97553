"""The wall of artworks, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.addresses import Value
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import PAGE_SIZE, Site
from simsearch.reading import sets
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.dates import year_text
from simsearch.reading.library import Listed
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView


@dataclass(frozen=True)
class SearchPage(PagedPage):
    """`state` is the search as addresses have it. `set_of` are the `total` artworks found as addresses
    have a set; None for more than a set holds, and where nothing is asked for. `year_words` name a set of
    the years that are asked for."""

    template: ClassVar[str] = "search"

    asked: Search
    year_words: str
    state: dict[str, Value]
    total: int
    artworks: list[ViewArtwork]
    snapshots: list[Listed]
    set_of: str | None


def search_page(site: Site, view: SnapshotView, asked: Search, page: int) -> SearchPage:
    numbers = site.search(view, asked)
    paging = page_of(len(numbers), page, PAGE_SIZE)
    return SearchPage(
        paging=paging,
        asked=asked,
        year_words=_describe_years(asked),
        state={
            "q": asked.q, "title": asked.title, "artist": asked.artist, "medium": asked.medium,
            "year_from": asked.year_from, "year_to": asked.year_to,
        },
        total=len(numbers),
        artworks=[view.artwork_at(int(number)) for number in numbers[paging.part]],
        snapshots=site.library.listed(),
        set_of=sets.encode(numbers.tolist())
        if asked != Search() and 0 < len(numbers) <= sets.MOST
        else None,
    )  # fmt: skip


def _describe_years(asked: Search) -> str:
    low, high = (
        None if year is None else year_text(year) for year in (asked.year_from, asked.year_to)
    )
    return f"Of {low or 'any year'} to {high or 'today'}"
