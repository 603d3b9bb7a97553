"""Which artworks a search finds: words anywhere, or in one field, accents and case aside."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.explorer.data.artworks import first_year
from simsearch.explorer.data.view import SnapshotView

FIELDS = ("title", "artists", "medium", "date", "department", "classification")
NO_YEAR = -10_000
WORDS_READ = 12  # of a search; the rest of a pasted page is not looked for


@dataclass(frozen=True)
class Search:
    """What is looked for; empty: every artwork. Years are those the dates begin with, inclusive."""

    q: str = ""
    title: str = ""
    artist: str = ""
    medium: str = ""
    year_from: int | None = None
    year_to: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything beside `q` is asked for."""
        return bool(self.title or self.artist or self.medium) or self.has_years

    @property
    def has_years(self) -> bool:
        return self.year_from is not None or self.year_to is not None


class SearchIndex:
    """Searches a catalog's texts, which are folded (see `folded`) once."""

    def __init__(self, view: SnapshotView) -> None:
        self._fields = {name: _folded_column(view, name) for name in FIELDS}
        self._all = ["\n".join(row) for row in zip(*self._fields.values(), strict=True)]
        dates = view.catalog["date"].to_pylist()
        years = [first_year(date) for date in dates]
        self._years = np.array([NO_YEAR if year is None else year for year in years], np.int32)

    def find(self, search: Search) -> npt.NDArray[np.int64]:
        """The numbers of the artworks that the search finds, those with the words in their title
        first."""
        wanted = (
            (self._all, search.q),
            (self._fields["title"], search.title),
            (self._fields["artists"], search.artist),
            (self._fields["medium"], search.medium),
        )
        every_number = range(len(self._all))
        matching: list[int] = list(every_number)
        for texts, query in wanted:
            for word in folded(query).split()[:WORDS_READ]:
                matching = [number for number in matching if word in texts[number]]
        numbers = np.array(matching, dtype=np.int64)
        if search.has_years:
            years = self._years[numbers]
            low = NO_YEAR + 1 if search.year_from is None else search.year_from
            high = 10_000 if search.year_to is None else search.year_to
            numbers = numbers[(years >= low) & (years <= high)]
        if words := folded(search.q).split()[:WORDS_READ]:
            titles = self._fields["title"]
            elsewhere = [not all(word in titles[number] for word in words) for number in numbers]
            numbers = numbers[np.argsort(elsewhere, kind="stable")]
        return numbers


def folded(text: str) -> str:
    """Lower case without accents: "Étude" is found by "etude"."""
    if text.isascii():  # most of a catalog, and forty times as fast
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def _folded_column(view: SnapshotView, name: str) -> list[str]:
    values = view.catalog[name].to_pylist()
    if name == "artists":
        values = [" ".join(names or ()) for names in values]
    return [folded(value or "") for value in values]
