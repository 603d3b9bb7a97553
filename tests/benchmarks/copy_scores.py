"""Scores of found pairs of copies, in plain NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tests.benchmarks.edits import EDITS, ORIGINAL

Pair = tuple[str, str]  # two files' names without ending, in alphabetical order


@dataclass(frozen=True)
class Score:
    """`right_pairs` is the number of right pairs that were found, `recall` their share of all right pairs,
    `precision` their share of all found pairs (1 if there are none). `edits` has for each edit the share of
    originals whose copy was found."""

    right_pairs: int
    recall: float
    precision: float
    edits: dict[str, float]


@dataclass(frozen=True)
class NearPairs:
    """Pairs of rows by their numbers, both int64 [p], and their `cosines` float32 [p], descending."""

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]


def pair(first: str, second: str) -> Pair:
    return (first, second) if first < second else (second, first)


def true_pairs(names: Iterable[str]) -> set[Pair]:
    """Every two files `<picture>.<edit>` of the same picture."""
    files: dict[str, list[str]] = {}
    for name in sorted(names):
        files.setdefault(name.rpartition(".")[0], []).append(name)
    return {two for edits in files.values() for two in combinations(edits, 2)}


def score(pairs: Set[Pair], truth: Set[Pair]) -> Score:
    right = pairs & truth
    edits = {}
    for edit in EDITS:
        wanted = {
            two for two in truth if {edit, ORIGINAL} == {name.rpartition(".")[2] for name in two}
        }
        edits[edit] = len(wanted & pairs) / len(wanted)
    precision = len(right) / len(pairs) if pairs else 1.0
    return Score(len(right), len(right) / len(truth), precision, edits)


def nearest_pairs(units: npt.NDArray[np.float32], count: int) -> NearPairs:
    """The `count` most similar pairs of unit rows [n, d], or all where there are fewer."""
    rows, columns = np.triu_indices(len(units), 1)
    cosines = (units @ units.T)[rows, columns]
    count = min(count, len(cosines))
    nearest = np.argpartition(-cosines, count - 1)[:count]
    nearest = nearest[np.argsort(-cosines[nearest], kind="stable")]
    return NearPairs(rows[nearest], columns[nearest], cosines[nearest])


def longest_precise(right: npt.NDArray[np.bool_], precision: float) -> int:
    """The length of the longest beginning of a ranking with at least this share of right pairs. 0 if no
    beginning has it."""
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    precise = np.flatnonzero(shares >= precision)
    return int(precise[-1]) + 1 if len(precise) else 0
