"""The stored pairs of artworks whose pictures agree, by artwork."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.errors import NotFoundError
from simsearch.reading.view import SnapshotView

Transform = npt.NDArray[np.float64]

_SEEN_FROM_THE_OTHER = {"detail of": "has detail", "has detail": "detail of"}


@dataclass(frozen=True)
class ListedPair:
    """A row of schemas.NEAR_DUPLICATES: two artworks, by number, and what the first one's picture has in
    common with the other's. `transform` float64 [3, 3], None for the same file, as the numbers."""

    first: int
    other: int
    relation: str
    inliers: int | None
    false_alarms: float | None
    mirrored: bool
    transform: Transform | None

    @property
    def evidence(self) -> str:
        """What speaks for the pair, in words."""
        return "equal bytes" if self.inliers is None else f"{self.inliers} points agree"

    def swapped(self) -> ListedPair:
        """The same pair from the other artwork to the first."""
        inverse = None if self.transform is None else np.linalg.inv(self.transform)
        return replace(
            self,
            first=self.other,
            other=self.first,
            relation=_SEEN_FROM_THE_OTHER.get(self.relation, self.relation),
            transform=None if inverse is None else inverse / inverse[2, 2],
        )


class ListedPairs:
    """The pairs that a snapshot lists; none where it has no such table."""

    def __init__(self, view: SnapshotView) -> None:
        try:
            table = view.snapshot.storage.read_table(view.snapshot.near_duplicates_path)
        except NotFoundError:
            table = None
        self._table = table
        self._rows: dict[int, list[tuple[int, int, int]]] = {}
        if table is None:
            return
        ids = zip(table["artwork_id"].to_pylist(), table["other_id"].to_pylist(), strict=True)
        for row, pair in enumerate(ids):
            first, other = (view.number_of(artwork_id) for artwork_id in pair)
            if first is not None and other is not None:
                for number in {first, other}:
                    self._rows.setdefault(number, []).append((row, first, other))

    def of(self, number: int) -> list[ListedPair]:
        """The pairs of an artwork, as it has them, the surest first."""
        pairs = [self._pair(*row) for row in self._rows.get(number, ())]
        seen = [pair if pair.first == number else pair.swapped() for pair in pairs]
        return sorted(seen, key=_surest)

    def all(self) -> list[ListedPair]:
        """All pairs of two artworks of the snapshot, as listed."""
        rows = {row: pair for listed in self._rows.values() for row, *pair in listed}
        return [self._pair(row, *pair) for row, pair in sorted(rows.items())]

    def between(self, first: int, other: int) -> ListedPair | None:
        """What the first artwork's picture has in common with the other's; None for a pair that is not listed."""
        for row, *pair in self._rows.get(first, ()):
            if pair == [first, other]:
                return self._pair(row, first, other)
            if pair == [other, first]:
                return self._pair(row, other, first).swapped()
        return None

    def _pair(self, row: int, first: int, other: int) -> ListedPair:
        (values,) = self._table.slice(row, 1).to_pylist()
        return ListedPair(
            first,
            other,
            values["relation"],
            values["inliers"],
            values["false_alarms"],
            bool(values["mirrored"]),
            _matrix(values["transform"]),
        )


def _matrix(cell: Any) -> Transform | None:
    return None if cell is None else np.array(cell, np.float64).reshape(3, 3)


def _surest(pair: ListedPair) -> tuple[float, int]:
    return -1.0 if pair.false_alarms is None else pair.false_alarms, pair.other
