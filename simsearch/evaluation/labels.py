"""Labels of originals, and the number of others with which each original shares a label.

Plain NumPy and SciPy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from simsearch.catalog.unknown import UNKNOWN
from simsearch.evaluation.statistics import Floats

Items = npt.NDArray[np.int64]

# Labels that mean "several people". Two works that carry one do not share an artist, as with labels that
# mean "unknown". The artist "Various & Gould" has a label.
SEVERAL = re.compile(
    r"\W*various(?:\s*(?:$|[(\[,;/:.\])])"
    r"|\s.*\b(?:artists|authors|designers|hands|makers|manufacturers|painters|people|photographers|printers)\b)"
)

# An original with at most this many labels is counted by their subsets, 255 for 8 labels. An original with
# more is compared with all others, as the number of subsets doubles with each label.
FEW_LABELS = 8

# Groups of near-duplicates with at most this many pairs are compared pair by pair, all groups at once.
# Counting a group by itself costs some 5 ms, however small the group is.
PAIRS_OF_A_SMALL_GROUP = 4096
_PAIRS_AT_ONCE = 2**18

_WORDS_AT_ONCE = 2**20  # 8 MiB of bits


@dataclass(frozen=True)
class Labels:
    """The labels of n originals: `matrix` [n, labels], sparse, of 0 and 1. `others` float64 [n] is the number
    of each original's possible neighbours, `alike` float64 [n] the number of them that share a label with
    it."""

    matrix: Any
    alike: Floats
    others: Floats

    @classmethod
    def of(
        cls, labels: Sequence[Iterable[str | None]], near: Iterable[tuple[Items, Items]] = ()
    ) -> Labels:
        """The labels. Near-duplicates are no possible neighbours: for each pair of `near`, which is
        `NumberedImages.near_groups`, the second originals cannot be neighbours of the first."""
        matrix = label_matrix(labels)
        alike = alike_counts(matrix)
        others = np.full(len(alike), float(max(0, len(alike) - 1)))
        labelled = np.diff(matrix.indptr) > 0  # an original shares its labels with itself
        small: list[Items] = []
        for rows, left_out in near:
            others[rows] -= len(left_out) - 1
            if len(rows) * len(left_out) <= PAIRS_OF_A_SMALL_GROUP:
                pairs = np.repeat(rows, len(left_out)), np.tile(left_out, len(rows))
                small.append(np.stack(pairs)[:, pairs[0] != pairs[1]])
            elif len(rows) == len(left_out):
                alike[rows] -= alike_counts(matrix[rows])
            else:
                alike[rows] -= _count_by_comparing(matrix[rows], matrix[left_out]) - labelled[rows]
        if small:
            first, second = np.concatenate(small, axis=1)
            np.subtract.at(alike, first, _share_labels(matrix, first, second))
        return cls(matrix, alike, others)


def label_matrix(labels: Sequence[Iterable[str | None]]) -> Any:
    """A sparse matrix [n, labels] of 0 and 1 that marks the labels of each original.

    Case, spaces and the encoding of letters do not count: "é" may be one character or two. Empty labels
    and those that mean "unknown" are left out.
    """
    columns: dict[str, int] = {}
    rows, places = [], []
    for row, words in enumerate(labels):
        for word in {_fold(word) for word in words if word}:
            if not UNKNOWN.match(word) and not SEVERAL.match(word):
                rows.append(row)
                places.append(columns.setdefault(word, len(columns)))
    shape = (len(labels), max(1, len(columns)))
    matrix = scipy.sparse.csr_array((np.ones(len(rows), np.int32), (rows, places)), shape=shape)
    matrix.sort_indices()
    return matrix


def _fold(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def alike_counts(matrix: Any) -> Floats:
    """The number of others that share a label with each original [n].

    The time is linear in the number of originals, except for originals with more than FEW_LABELS labels:
    each of their labels costs a bit per original (`_count_by_comparing`). 20,000 originals with 12 labels out of
    50,000 take 1.3 s.
    """
    sizes = np.diff(matrix.indptr)
    counts = np.zeros(matrix.shape[0])
    few, many = (
        np.flatnonzero(rows) for rows in ((sizes > 0) & (sizes <= FEW_LABELS), sizes > FEW_LABELS)
    )
    counts[few] = _count_by_subsets(matrix[few])
    if len(many):
        counts[few] += _count_by_comparing(matrix[few], matrix[many])
        counts[many] = _count_by_comparing(matrix[many], matrix)
    counts[sizes > 0] -= 1  # itself
    return counts


def _share_labels(matrix: Any, first: Items, second: Items) -> npt.NDArray[np.bool_]:
    """Whether the rows first[i] and second[i] share a label."""
    shared = np.zeros(len(first), bool)
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        both = matrix[first[part]].multiply(matrix[second[part]])
        shared[part] = np.asarray(both.sum(axis=1)).ravel() > 0
    return shared


def _count_by_comparing(first: Any, second: Any) -> Floats:
    """The number of rows of `second` that share a label with each row of `first`.

    For each label, the rows of `second` that have it are bits of words. A row of `first` counts the bits of
    any of its labels, so that frequent labels cost no more than rare ones.
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
    """The `rows` that have each of the labels `used`: a bit a row, in words [labels, ⌈rows / 64⌉]."""
    entries = rows[:, used].tocoo()
    row, label = entries.coords
    words = np.zeros((len(used), -(-rows.shape[0] // 64)), np.uint64)
    bit = np.left_shift(np.uint64(1), (row % 64).astype(np.uint64))
    np.bitwise_or.at(words, (label, row // 64), bit)
    return words


def _count_by_subsets(matrix: Any) -> Floats:
    """The number of rows, itself included, that share a label with each row. By inclusion and exclusion:
    the numbers of rows with each subset of the row's labels are added for subsets of odd size, and
    subtracted for even ones."""
    sizes = np.diff(matrix.indptr)
    order = np.argsort(-sizes, kind="stable")  # so that rows with a label at a place come first
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
