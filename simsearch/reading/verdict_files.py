"""Verdicts as a table to hand on, and the same table read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from simsearch.catalog.notes import Notes
from simsearch.catalog.records import Records
from simsearch.errors import CatalogError
from simsearch.judgements.verdicts import (
    Given,
    Verdict,
    add_verdicts,
    read_history,
    read_verdicts,
    text_of_time,
)
from simsearch.reading.csv_text import FORMULA
from simsearch.reading.sets import one_line
from simsearch.reading.verdicts import numbers_by_hash
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage

NEEDED = ("first_hash", "second_hash", "verdict", "who", "at")
TABLE = pa.schema(
    [
        pa.field(name, pa.string())
        for name in (
            "first_id", "first_title", "second_id", "second_title", "verdict", "who", "at",
            "first_hash", "second_hash",
        )
    ]
)  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Imported:
    """What became of a table's rows: `stored`, there `before`, without an answer (`empty`) and left out, which
    `notes` counts by their reasons."""

    stored: int
    before: int
    notes: Notes
    empty: int = 0

    @property
    def left_out(self) -> int:
        return sum(count for count, _ in self.notes.left_out.values())

    @property
    def rows(self) -> int:
        return self.stored + self.before + self.empty + self.left_out


def current_verdicts(storage: Storage) -> list[Given]:
    """The verdicts that count, the newest first."""
    return sorted(read_verdicts(storage).values(), key=lambda given: given.at, reverse=True)


def verdict_table(view: SnapshotView, verdicts: Iterable[Given]) -> pa.Table:
    """TABLE: one row a verdict, with the id and title of the first artwork of the snapshot that shows each
    picture, null where none does."""
    number_of = numbers_by_hash(view)
    rows = []
    for given in verdicts:
        row = {
            "verdict": str(given.verdict),
            "who": given.who,
            "at": given.at,
            "first_hash": given.first_hash,
            "second_hash": given.second_hash,
        }
        for place in ("first", "second"):
            number = number_of.get(row[f"{place}_hash"])
            if number is not None:
                artwork = view.artwork_at(number)
                row |= {f"{place}_id": artwork.artwork_id, f"{place}_title": artwork.whole_title}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=TABLE)


def import_verdicts(storage: Storage, records: Records, notes: Notes) -> Imported:
    """Store the verdicts of a table that has the columns NEEDED. A row that is no verdict is left out and
    counted. Raises CatalogError for a table that lacks a column."""
    if absent := [name for name in NEEDED if name not in records.columns]:
        raise CatalogError(
            f"{records.source}: no column {' and no '.join(absent)}; import a table that `simsearch verdicts "
            "export` wrote, or one with its columns"
        )
    known = {_key(given): given.verdict for given in read_history(storage)}
    latest = text_of_time(datetime.now(UTC))
    fresh: list[Given] = []
    before = 0
    for place, row in enumerate(records.rows(NEEDED)):
        try:
            given = _given(row, latest)
        except ValueError as error:
            notes.leave_out(str(error), records.place(place))
            continue
        if _key(given) not in known:
            known[_key(given)] = given.verdict
            fresh.append(given)
        elif known[_key(given)] == given.verdict:
            before += 1
        else:
            reason = "rows with another verdict than the same person gave at the same time"
            notes.leave_out(reason, records.place(place))
    if fresh:
        add_verdicts(storage, fresh)
    return Imported(len(fresh), before, notes)


def _key(given: Given) -> tuple[str, str, str, str]:
    return given.first_hash, given.second_hash, given.at, given.who


def _given(row: Mapping[str, Any], latest: str) -> Given:
    """The verdict of a row. Raises ValueError with the kind of row that it is instead."""
    texts = {name: str(row.get(name) or "").strip() for name in NEEDED}
    first, second = texts["first_hash"].lower(), texts["second_hash"].lower()
    if not (_HASH.match(first) and _HASH.match(second)) or first == second:
        raise ValueError("rows without two different content hashes of 64 hexadecimal digits")
    if texts["verdict"].lower() not in {*Verdict}:
        raise ValueError(f"rows with a verdict that is none of {', '.join(Verdict)}")
    who = one_line(texts["who"])
    if who.startswith("'") and re.match(FORMULA, who[1:]):
        who = who[1:]  # as spreadsheets are kept from computing it
    if not who:
        raise ValueError("rows without a name")
    try:
        time = datetime.fromisoformat(texts["at"])
        at = text_of_time(time)
    except (ValueError, OverflowError):
        time, at = None, ""
    if time is None or time.tzinfo is None:
        raise ValueError("rows without a time such as 2026-01-31T09:30:00+00:00")
    if at > latest:
        raise ValueError("rows of a time that is yet to come, and would outlast later verdicts")
    return Given(first, second, Verdict(texts["verdict"].lower()), who, at)
