"""Labels that originals share: who has which, and with how many others each has one in common.

Plain NumPy and SciPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from simsearch.evaluation.statistics import Floats

Items = npt.NDArray[np.int64]

# Labels that mean "unknown". Two works that carry one do not share an artist.
NO_LABEL = ("unknown", "anonymous", "unidentified", "various")

# An original with at most so many labels is counted by their subsets, 255 of 8. One with more is compared
# with all others, as its subsets double with each label.
FEW_LABELS = 8
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Labels:
    """The labels of n originals: `matrix` [n, labels], sparse, of 0 and 1. Of each original's possible
    neighbours, `others` float64 [n] is the number, and `alike` float64 [n] the number of those that have
    a label in common with it."""

    matrix: Any
    alike: Floats
    others: Floats

    @classmethod
    def of(
        cls, labels: Sequence[Iterable[str | None]], near: Iterable[tuple[Items, Items]] = ()
    ) -> Labels:
        """The labels, where near-duplicates are no neighbours: for each of `near`, of
        `NumberedImages.near_groups`, the second originals are none of the first."""
        matrix = label_matrix(labels)
        alike = alike_counts(matrix)
        others = np.full(len(alike), float(max(0, len(alike) - 1)))
        for rows, left_out in near:
            others[rows] -= len(left_out) - 1
            if len(rows) == len(left_out):
                alike[rows] -= alike_counts(matrix[rows])
            else:
                labelled = np.diff(matrix.indptr)[rows] > 0  # each shares its labels with itself
                alike[rows] -= _by_comparing(matrix[rows], matrix[left_out]) - labelled
        return cls(matrix, alike, others)


def label_matrix(labels: Sequence[Iterable[str | None]]) -> Any:
    """Which of all labels each original has: a sparse matrix [n, labels] of 0 and 1.

    Empty labels and those that say "unknown" are none.
    """
    columns: dict[str, int] = {}
    rows, places = [], []
    for row, words in enumerate(labels):
        for word in {" ".join(word.split()).casefold() for word in words if word}:
            if word and not word.startswith(NO_LABEL):
                rows.append(row)
                places.append(columns.setdefault(word, len(columns)))
    shape = (len(labels), max(1, len(columns)))
    matrix = scipy.sparse.csr_array((np.ones(len(rows), np.int32), (rows, places)), shape=shape)
    matrix.sort_indices()
    return matrix


def alike_counts(matrix: Any) -> Floats:
    """For each original [n] the number of others that have a label in common with it.

    In time linear in the number of originals, as long as few have more than FEW_LABELS labels.
    """
    sizes = np.diff(matrix.indptr)
    counts = np.zeros(matrix.shape[0])
    few, many = (
        np.flatnonzero(rows) for rows in ((sizes > 0) & (sizes <= FEW_LABELS), sizes > FEW_LABELS)
    )
    counts[few] = _by_subsets(matrix[few])
    if len(many):
        counts[few] += _by_comparing(matrix[few], matrix[many])
        counts[many] = _by_comparing(matrix[many], matrix)
    counts[sizes > 0] -= 1  # itself
    return counts


def _by_comparing(first: Any, second: Any) -> Floats:
    """For each row of `first` the number of rows of `second` with which it has a label in common."""
    counts = np.zeros(first.shape[0])
    for start in range(0, first.shape[0], _ROWS_AT_ONCE):
        shared = (first[start : start + _ROWS_AT_ONCE] @ second.T).tocsr()
        counts[start : start + _ROWS_AT_ONCE] = np.diff(shared.indptr)
    return counts


def _by_subsets(matrix: Any) -> Floats:
    """For each row the number of rows, itself too, with which it has a label in common: by inclusion and
    exclusion, the number that has a subset of its labels, added for subsets of odd size and
    subtracted for even ones."""
    sizes = np.diff(matrix.indptr)
    order = np.argsort(-sizes, kind="stable")  # rows that have a label at a place are the first
    most = int(sizes.max(initial=0))
    labels = np.full((len(sizes), most), -1, np.int64)
    labels[np.arange(most) < sizes[:, None]] = matrix.indices
    labels, sizes = labels[order], sizes[order]
    counts = np.zeros(len(sizes))
    # A subset is written as bits, one for each place of a row. Equal subsets have equal numbers.
    numbers: dict[int, Items] = {0: np.zeros(len(sizes), np.int64)}
    for size in range(1, most + 1):
        subsets = [bits for bits in range(1, 2**most) if bits.bit_count() == size]
        keys = []
        for bits in subsets:
            last = bits.bit_length() - 1
            rows = int((sizes > last).sum())
            keys.append(numbers[bits ^ 1 << last][:rows] * matrix.shape[1] + labels[:rows, last])
        _, number, times = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
        numbers = dict(
            zip(subsets, np.split(number, np.cumsum([len(key) for key in keys])[:-1]), strict=True)
        )
        for own in numbers.values():
            counts[: len(own)] += times[own] if size % 2 else -times[own]
    counts[order] = counts.copy()
    return counts
