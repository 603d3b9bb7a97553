"""Published answers as a table: groups (`artwork`, `group`), pairs (`query`, `artwork`) or graded pairs
(`query`, `artwork`, `grade`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.catalog.notes import Notes
from simsearch.catalog.records import Records
from simsearch.errors import CatalogError

# 5,000 artworks in groups of 1,000 are 5 million pairs. A pair takes some 100 bytes while they are sorted.
MOST_PAIRS = 20_000_000
HIGHEST_GRADE = 1_000.0
FORMS = "artwork,group or query,artwork or query,artwork,grade"

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReadAnswers:
    """The answers of a table: `items` [p] have the `grades` float64 [p] for `queries` [p], as numbers of
    artworks. `used` is the number of rows that they come from. `notes` counts the others by their reasons."""

    queries: Numbers
    items: Numbers
    grades: npt.NDArray[np.float64]
    used: int
    notes: Notes


def read_answers(records: Records, ids: Sequence[str], notes: Notes) -> ReadAnswers:
    """The answers of a table for the artworks `ids` [n], which are numbered in this order.

    A row that is no answer is left out and counted. Raises CatalogError for a table of another form, one
    without any answer, and one that stands for more than MOST_PAIRS pairs."""
    columns = set(records.columns)
    pairs, groups = {"query", "artwork"} <= columns, {"artwork", "group"} <= columns
    if pairs == groups:
        which = "the columns of both groups and pairs" if pairs else "neither groups nor pairs"
        raise CatalogError(f"{records.source}: {which}; give a table with the columns {FORMS}")
    number_of = {name: number for number, name in enumerate(ids)}
    read = _read_pairs if pairs else _read_groups
    result = read(records, number_of, notes)
    if not (result.grades > 0).any():
        reasons = "; ".join(notes.summary())
        raise CatalogError(
            f"{records.source}: no row is an answer for an artwork of this collection"
            f"{f' ({reasons})' if reasons else ''}; name artworks by their ids in the catalog"
        )
    return result


def _read_groups(records: Records, number_of: Mapping[str, int], notes: Notes) -> ReadAnswers:
    known: dict[tuple[int, str], int] = {}
    for place, row in enumerate(records.rows(("artwork", "group"))):
        group = _text(row, "group")
        try:
            if not group:
                raise ValueError("rows without a group")
            key = (_number(row, "artwork", number_of), group)
            if key in known:
                raise ValueError("rows that repeat an earlier one")
        except ValueError as error:
            notes.leave_out(str(error), records.place(place))
        else:
            known[key] = place
    sizes = Counter(group for _, group in known)
    _refuse_many(records, sum(size * (size - 1) for size in sizes.values()))
    for (_, group), place in known.items():
        if sizes[group] == 1:
            notes.leave_out(
                "rows whose group has no other artwork of this collection", records.place(place)
            )
    kept = [(artwork, group) for artwork, group in known if sizes[group] > 1]
    numbers = {group: number for number, group in enumerate(sizes)}
    queries, items = pairs_of_members(
        np.array([artwork for artwork, _ in kept], np.int64),
        np.array([numbers[group] for _, group in kept], np.int64),
    )
    return ReadAnswers(queries, items, np.ones(len(items)), len(kept), notes)


def pairs_of_members(artworks: Numbers, groups: Numbers) -> tuple[Numbers, Numbers]:
    """The pairs [p] of each two different artworks of a group, in both orders. The `artworks` [m] belong to
    the `groups` [m], which are numbered from 0. An artwork may belong to several."""
    order = np.argsort(groups, kind="stable")
    pairs = [np.zeros((0, 2), np.int64)]
    for members in np.split(artworks[order], np.cumsum(np.bincount(groups))[:-1]):
        both = np.stack(np.meshgrid(members, members, indexing="ij"), axis=-1).reshape(-1, 2)
        pairs.append(both[both[:, 0] != both[:, 1]])
    listed = np.concatenate(pairs)
    return listed[:, 0], listed[:, 1]


def _read_pairs(records: Records, number_of: Mapping[str, int], notes: Notes) -> ReadAnswers:
    graded = "grade" in records.columns
    _refuse_many(records, records.count)
    known: dict[tuple[int, int], float] = {}
    for place, row in enumerate(records.rows(("query", "artwork", *(["grade"] * graded)))):
        try:
            key = (_number(row, "query", number_of), _number(row, "artwork", number_of))
            grade = _grade(_text(row, "grade")) if graded else 1.0
            if key[0] == key[1]:
                raise ValueError("rows in which an artwork is an answer to itself")
            if key in known:
                same = known[key] == grade
                raise ValueError(
                    "rows that repeat an earlier one"
                    if same
                    else "rows with another grade than an earlier row of the same pair"
                )
        except ValueError as error:
            notes.leave_out(str(error), records.place(place))
        else:
            known[key] = grade
    numbers = np.array(list(known), np.int64).reshape(-1, 2)
    grades = np.array(list(known.values()), np.float64)
    return ReadAnswers(numbers[:, 0], numbers[:, 1], grades, len(known), notes)


def _refuse_many(records: Records, pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise CatalogError(
            f"{records.source}: {pairs:,} pairs of artworks, and at most {MOST_PAIRS:,} are scored; leave "
            "out groups that are too wide to be answers"
        )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _number(row: Mapping[str, Any], name: str, number_of: Mapping[str, int]) -> int:
    """The number of the artwork in a cell. Raises ValueError with the kind of row that it is instead."""
    artwork = _text(row, name)
    if not artwork:
        raise ValueError(f"rows without {'a query' if name == 'query' else 'an artwork'}")
    if artwork not in number_of:
        raise ValueError(f"rows whose {name} is no artwork of this collection")
    return number_of[artwork]


def _grade(text: str) -> float:
    try:
        grade = float(text)
    except ValueError:
        grade = math.nan
    if not abs(grade) <= HIGHEST_GRADE:
        raise ValueError(f"rows with a grade that is no number up to {HIGHEST_GRADE:,.0f}")
    return grade
