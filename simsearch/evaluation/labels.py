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

# Near-duplicates up to so many pairs are compared pair by pair, all groups at once: a group counted by
# itself costs some 5 ms however small it is.
PAIRS_OF_A_SMALL_GROUP = 4096
_PAIRS_AT_ONCE = 2**18

_WORDS_AT_ONCE = 2**20  # 8 MiB of bits


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
        labelled = np.diff(matrix.indptr) > 0  # each shares its labels with itself
        small: list[Items] = []
        for rows, left_out in near:
            others[rows] -= len(left_out) - 1
            if len(rows) * len(left_out) <= PAIRS_OF_A_SMALL_GROUP:
                pairs = np.repeat(rows, len(left_out)), np.tile(left_out, len(rows))
                small.append(np.stack(pairs)[:, pairs[0] != pairs[1]])
            elif len(rows) == len(left_out):
                alike[rows] -= alike_counts(matrix[rows])
            else:
                alike[rows] -= _by_comparing(matrix[rows], matrix[left_out]) - labelled[rows]
        if small:
            first, second = np.concatenate(small, axis=1)
            np.subtract.at(alike, first, _shared(matrix, first, second))
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

    In time linear in the number of originals, but for those that have more than FEW_LABELS labels: each
    label of such an original costs a bit per original (`_by_comparing`). 20,000 originals with 12 labels
    of 50,000 take 1.3 s.
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


def _shared(matrix: Any, first: Items, second: Items) -> npt.NDArray[np.bool_]:
    """Which of the pairs of rows first[i] and second[i] have a label in common."""
    shared = np.zeros(len(first), bool)
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        both = matrix[first[part]].multiply(matrix[second[part]])
        shared[part] = np.asarray(both.sum(axis=1)).ravel() > 0
    return shared


def _by_comparing(first: Any, second: Any) -> Floats:
    """For each row of `first` the number of rows of `second` with which it has a label in common.

    The rows of `second` that have a label are bits of words. A row of `first` counts the bits that any
    of its labels has, so that frequent labels cost no more than rare ones.
    """
    counts = np.zeros(first.shape[0])
    labelled = np.flatnonzero(np.diff(first.indptr))
    used, label = np.unique(first.indices, return_inverse=True)
    if not len(used):
        return counts
    starts = first.indptr[labelled]
    columns = max(1, _WORDS_AT_ONCE // len(used))
    for begin in range(0, second.shape[0], 64 * columns):
        bits = _bits(second[begin : begin + 64 * columns], used)
        step = max(1, _WORDS_AT_ONCE // bits.shape[1])  # labels of rows
        place = 0
        while place < len(starts):
            end = max(place + 1, int(np.searchsorted(starts, starts[place] + step)))
            stop = starts[end] if end < len(starts) else len(label)
            own = bits[label[starts[place] : stop]]
            union = np.bitwise_or.reduceat(own, starts[place:end] - starts[place], axis=0)
            counts[labelled[place:end]] += np.bitwise_count(union).sum(axis=1)
            place = end
    return counts


def _bits(rows: Any, used: Items) -> npt.NDArray[np.uint64]:
    """Which of the `rows` have each of the labels `used`: a bit a row, in words [labels, ⌈rows / 64⌉]."""
    entries = rows[:, used].tocoo()
    row, label = entries.coords
    words = np.zeros((len(used), -(-rows.shape[0] // 64)), np.uint64)
    bit = np.left_shift(np.uint64(1), (row % 64).astype(np.uint64))
    np.bitwise_or.at(words, (label, row // 64), bit)
    return words


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
