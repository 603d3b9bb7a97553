"""Facets: properties of artworks from the catalog, as labels and a code for each artwork."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.unknown import UNKNOWN
from simsearch.reading.artworks import SHORT
from simsearch.reading.dates import first_year
from simsearch.reading.recovery import recovered_shares
from simsearch.reading.view import SnapshotView

LABELS_KEPT = (
    4000  # most frequent labels of a facet; a browser lists no more, and words find the others
)
LEAST_TO_TRIM = 8  # fewest dated artworks of which the first and the last may be outliers
NO_YEAR = -(2**31)
PERIOD = "period"
SHARES = (
    "none found",
    "up to a quarter",
    "up to half",
    "up to three quarters",
    "nearly all",
    "all",
)
COLUMNS = ("artists", "classification", "department", "medium", "subjects")
TITLES = {"artists": "artist", "subjects": "subject"}  # of columns that are named otherwise

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Facet:
    """One property of artworks, such as their medium.

    `codes` [artworks] are places in `labels` (−1: not known). The further values of artworks with several
    are in `also_numbers` (the artwork's number) and `also_codes`. `ordered` labels go from low to high,
    others from the most to the least frequent."""

    key: str
    title: str
    ordered: bool
    labels: tuple[str, ...]
    codes: Codes
    also_numbers: Codes
    also_codes: Codes

    def pairs(self) -> tuple[Codes, Codes]:
        """Every pair of an artwork's number and one of its codes, as two arrays."""
        known = np.flatnonzero(self.codes >= 0).astype(np.int32)
        return (
            np.concatenate([known, self.also_numbers]),
            np.concatenate([self.codes[known], self.also_codes]),
        )

    def names_something(self) -> npt.NDArray[np.bool_]:
        """Whether each label says something. "Unknown artist" does not: it is a filter like others, but no
        name for a region."""
        return np.array([UNKNOWN.match(label) is None for label in self.labels], dtype=bool)


def facets_of(view: SnapshotView) -> list[Facet]:
    """All facets that distinguish a snapshot's artworks."""
    facets = [periods(years_of(view))]
    for column in COLUMNS:
        if (
            column in view.catalog.column_names
        ):  # catalogs of earlier versions lack the newest columns
            key = TITLES.get(column, column)
            values = view.catalog[column].combine_chunks()
            facets.append(categories(key, key.capitalize(), values))
    if view.profiles:
        for space in view.spaces:
            shares = recovered_shares(view, space)
            facets.append(recovery_facet(f"found:{space}", f"Copies found by {space}", shares))
    return [facet for facet in facets if len(facet.labels) > 1]


def years_of(view: SnapshotView) -> list[int | None]:
    """The year that each artwork's date begins with."""
    dates = view.catalog["date"].combine_chunks().dictionary_encode()
    years = [first_year(date) for date in dates.dictionary.to_pylist()]
    return [None if place is None else years[place] for place in dates.indices.to_pylist()]


def categories(key: str, title: str, column: pa.Array) -> Facet:
    """A facet of texts, or of lists of texts: the LABELS_KEPT most frequent values. Equally frequent ones are
    in alphabetical order."""
    count = len(column)
    if pa.types.is_list(column.type):
        rows, texts = pc.list_parent_indices(column).to_numpy(), pc.list_flatten(column)
    else:
        rows, texts = np.arange(count), column
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    # Labels are short, for lists and addresses. Texts that are equal up to that length count as one value.
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, SHORT - 1), "…", "")
    texts = pc.if_else(pc.greater(pc.utf8_length(texts), SHORT), cut, texts)
    filled = pc.fill_null(pc.not_equal(texts, ""), False).to_numpy(zero_copy_only=False)
    encoded = texts.filter(pa.array(filled)).dictionary_encode()
    rows, codes = _remove_repetitions(rows[filled], encoded.indices.to_numpy())
    values = encoded.dictionary.to_pylist()
    counts = np.bincount(codes, minlength=len(values)).tolist()
    ranked = sorted(range(len(values)), key=lambda place: (-counts[place], values[place]))
    ranked = ranked[:LABELS_KEPT]
    new_codes = np.full(len(values), -1, dtype=np.int32)
    new_codes[ranked] = np.arange(len(ranked))
    has_label = new_codes[codes] >= 0
    rows, codes = rows[has_label].astype(np.int32), new_codes[codes[has_label]]
    _, first = np.unique(rows, return_index=True)
    firsts = np.full(count, -1, dtype=np.int32)
    firsts[rows[first]] = codes[first]
    labels = tuple(values[place] for place in ranked)
    return Facet(key, title, False, labels, firsts, np.delete(rows, first), np.delete(codes, first))


def _remove_repetitions(rows: Codes, codes: Codes) -> tuple[Codes, Codes]:
    """The pairs in order, without repetitions: each stays at its first place."""
    pairs = rows.astype(np.int64) * (int(codes.max(initial=0)) + 1) + codes
    _, first = np.unique(pairs, return_index=True)
    first.sort()
    return rows[first], codes[first]


def periods(years: Sequence[int | None]) -> Facet:
    """A facet of centuries, or of decades if nearly all years lie within 150 years."""
    known = [year for year in years if year is not None]
    # Single outliers do not turn decades into centuries.
    few = max(1, len(known) // 100) if len(known) >= LEAST_TO_TRIM else 0
    inner = sorted(known)[few : len(known) - few]
    span = 10 if inner and inner[-1] - inner[0] < 150 else 100
    starts = sorted({year // span * span for year in known})
    places = {start: code for code, start in enumerate(starts)}
    labels = [_period_label(start, span) for start in starts]
    codes = _codes(-1 if year is None else places[year // span * span] for year in years)
    return Facet(PERIOD, "Period", True, tuple(labels), codes, _codes(()), _codes(()))


def _period_label(start: int, span: int) -> str:
    """The usual name of the `span` years from `start`: "1890s", "1800–1899", "1–99", "500–401 B.C."."""
    if start < 0:
        return f"{-start}–{-(start + span - 1)} B.C."
    if span == 10 and start:
        return f"{start}s"
    return f"{start or 1}–{start + span - 1}"


def recovery_facet(key: str, title: str, shares: Sequence[float | None]) -> Facet:
    """The facet of the `shares` of copies that were recovered, of each artwork. Not known for artworks
    without copies (None)."""

    def code(share: float | None) -> int:
        if share is None:
            return -1
        if share >= 1:
            return 5
        return 0 if share <= 0 else min(4, 1 + int((share - 1e-9) * 4))

    codes = _codes(code(share) for share in shares)
    return Facet(key, title, True, SHARES, codes, _codes(()), _codes(()))


def _codes(values: Iterable[int]) -> Codes:
    return np.fromiter(values, dtype=np.int32)
