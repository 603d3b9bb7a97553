"""What the cells of a sheet show beside their bare values: zeros and words that a format adds, days,
errors, cells merged into one.

The library that reads workbooks gives the bare values. A number that is shown rounded, or with
separators, stays as it is stored.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from simsearch.catalog.number_formats import Show
from simsearch.errors import CatalogError

Place = tuple[int, int]  # row and column, from 0

# The library lays a sheet out as a full grid of 32 bytes a cell: so many cells of it are accepted in all,
# or so many for each cell that the file stores.
MAX_GRID, MAX_SPARSE = 10_000_000, 100


@dataclass
class Tally:
    """How many cells are of a kind, and which is the first."""

    count: int = 0
    first: Place = (0, 0)

    def add(self, place: Place, times: int = 1) -> None:
        if not self.count:
            self.first = place
        self.count += times


@dataclass
class Shown:
    """Of a sheet: the `texts` that cells show in place of their values, by row and column; the cells
    with an error, whose text is empty; those whose formula has no stored value; and `merged` areas
    (top, left, bottom, right)."""

    texts: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    errors: Tally = field(default_factory=Tally)
    unstored: Tally = field(default_factory=Tally)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)

    def show(self, place: Place, text: str) -> None:
        self.texts[place[0]][place[1]] = text

    def show_number(self, place: Place, value: Decimal | None, show: Show | None) -> None:
        """Show a stored number in its format, where the format has a text for it."""
        text = show(value) if show is not None and value is not None else None
        if text is not None:
            self.show(place, text)

    def take_error(self, place: Place) -> None:
        self.errors.add(place)
        self.show(place, "")


@dataclass
class Extent:
    """The rows and columns over which a sheet's cells are spread, and the `count` of cells in its file."""

    rows: int = 0
    columns: int = 0
    count: int = 0

    def add(self, row: int, column: int, down: int = 1, across: int = 1) -> None:
        """Count a cell of the file, which may stand for several rows (`down`) and columns (`across`)."""
        self.rows = max(self.rows, row + down)
        self.columns = max(self.columns, column + across)
        self.count += 1

    def refuse_strewn(self, sheet: str) -> None:
        """Raise CatalogError for cells so far apart that their grid does not fit into memory."""
        if self.rows * self.columns > max(MAX_GRID, MAX_SPARSE * self.count):
            raise CatalogError(
                f"sheet {sheet!r} has {self.count:,} cells, strewn over {self.rows:,} rows and {self.columns:,} columns; "
                "delete the stray ones or export it as CSV"
            )


def decimal_of(stored: str | float | None) -> Decimal | None:
    """A stored number with the 15 digits that spreadsheets keep."""
    try:
        value = float("" if stored is None else stored)
    except ValueError:
        return None
    return Decimal(f"{value:.15g}") if math.isfinite(value) else None
