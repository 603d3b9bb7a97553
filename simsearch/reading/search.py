"""The artworks that a search finds, by words anywhere or in one field (see `words`), and by years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.facets import NO_YEAR, years_of
from simsearch.reading.view import SnapshotView
from simsearch.reading.words import matches, search_terms, search_text

FIELDS = ("title", "artists", "medium", "date", "department", "classification")


@dataclass(frozen=True)
class Search:
    """The terms of a search. Empty terms find every artwork. Years are inclusive, and are those with which
    dates begin."""

    q: str = ""
    title: str = ""
    artist: str = ""
    medium: str = ""
    year_from: int | None = None
    year_to: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether there are terms beside `q`."""
        return bool(self.title or self.artist or self.medium) or self.has_years

    @property
    def has_years(self) -> bool:
        return self.year_from is not None or self.year_to is not None


class SearchIndex:
    """Searches a catalog's texts, which are folded once."""

    def __init__(self, view: SnapshotView) -> None:
        self._fields = {name: _text_column(view, name) for name in FIELDS}
        self._all = ["\n".join(row) for row in zip(*self._fields.values(), strict=True)]
        years = years_of(view)
        self._years = np.array([NO_YEAR if year is None else year for year in years], np.int64)

    def find(self, search: Search) -> npt.NDArray[np.int64]:
        """The numbers of the artworks that the search finds. Those with the words in the title come first.

        Text without a letter or digit is found nowhere."""
        asked = (
            (self._all, search.q),
            (self._fields["title"], search.title),
            (self._fields["artists"], search.artist),
            (self._fields["medium"], search.medium),
        )
        matching: list[int] = list(range(len(self._all)))
        for texts, query in asked:
            if query:
                terms = search_terms(query)
                matching = [n for n in matching if terms is not None and matches(terms, texts[n])]
        numbers = np.array(matching, dtype=np.int64)
        if search.has_years:
            years = self._years[numbers]
            low = NO_YEAR + 1 if search.year_from is None else search.year_from
            high = np.inf if search.year_to is None else search.year_to
            numbers = numbers[(years >= low) & (years <= high)]
        if terms := search_terms(search.q):
            titles = self._fields["title"]
            elsewhere = [not matches(terms, titles[number]) for number in numbers]
            numbers = numbers[np.argsort(elsewhere, kind="stable")]
        return numbers


def other_fields(artwork: ViewArtwork) -> list[str]:
    """The texts of an artwork in which a search looks, beside the title and artists that lists show."""
    whole = [(artwork.whole_title, artwork.title), (artwork.all_artists, artwork.artists)]
    longer = [text for text, shown in whole if text != shown]
    return longer + [artwork.row[name] for name in FIELDS[2:] if artwork.row[name]]


def _text_column(view: SnapshotView, name: str) -> list[str]:
    values = view.catalog[name].to_pylist()
    if name == "artists":
        return [search_text(names or ()) for names in values]
    return [search_text([value or ""]) for value in values]
