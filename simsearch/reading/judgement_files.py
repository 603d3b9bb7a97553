"""Answers on triplets, stored from a judge's sheet or an exported table, and taken back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from simsearch.catalog.notes import Notes
from simsearch.catalog.records import Records
from simsearch.errors import CatalogError, NotFoundError, UsageError
from simsearch.judgements.judgements import (
    SCHEMA,
    Answer,
    Judgement,
    add_judgements,
    read_judgement_history,
    read_judgements,
)
from simsearch.judgements.said import WITHDRAWN
from simsearch.judgements.triplets import Kind
from simsearch.judgements.verdicts import text_of_time
from simsearch.reading.csv_text import FORMULA
from simsearch.reading.judgement_sheets import MOST_ASKED, ask
from simsearch.reading.sets import one_line
from simsearch.reading.verdict_files import Imported
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage

ANSWERED = ("asked", "question", "who", "answer", "work_hash", "left_hash", "right_hash")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_ASKED = re.compile(r"([0-9a-f]{16})/(\d{1,9})/(\d{1,4})\Z")


def import_judgements(
    storage: Storage, records: Records, notes: Notes, view_of: Callable[[str], SnapshotView]
) -> Imported:
    """Store the answers of a sheet, or of a table that was exported. `view_of(snapshot_id)` raises
    NotFoundError or UsageError for a snapshot that is gone. Raises CatalogError for a table that lacks a
    column."""
    exported = "left_space" in records.columns
    needed = tuple(SCHEMA.names) if exported else ANSWERED
    if absent := [name for name in needed if name not in records.columns]:
        raise CatalogError(
            f"{records.source}: no column {' and no '.join(absent)}; import a table that `simsearch "
            "judgements ask` or `export` wrote"
        )
    latest = datetime.now(UTC)
    history = set(read_judgement_history(storage))
    standing = {judgement.key: judgement for judgement in read_judgements(storage)}
    earlier = max((judgement.at for judgement in history), default="")
    if earlier:
        latest = max(latest, datetime.fromisoformat(earlier) + timedelta(microseconds=1))
    questions = _Questions(view_of)
    fresh: dict[tuple[str, ...], Judgement] = {}
    known = {(*judgement.key, judgement.at): judgement for judgement in history}
    before = empty = 0
    for place, row in enumerate(records.rows(needed)):
        texts = {name: _text(row.get(name)) for name in needed}
        if not texts["answer"] and not exported:
            empty += 1
            continue
        try:
            judgement = _exported(texts, text_of_time(latest)) if exported else questions.of(texts)
        except ValueError as error:
            notes.leave_out(str(error), records.place(place))
            continue
        if not exported:
            judgement = replace(judgement, at=text_of_time(latest))
            stands = standing.get(judgement.key)
            known_answer = stands if stands and stands.answer == judgement.answer else None
            known_answer = fresh.get(judgement.key, known_answer)
            key: tuple[str, ...] = judgement.key
        else:
            key = (*judgement.key, judgement.at)
            known_answer = known.get(key) or fresh.get(key)
        if known_answer is None:
            fresh[key] = judgement
        elif known_answer.answer == judgement.answer:
            before += 1
        else:
            reason = "rows with another answer than the same judge gave to the same question"
            notes.leave_out(reason, records.place(place))
    add_judgements(storage, fresh.values())
    return Imported(len(fresh), before, notes, empty)


def withdraw(storage: Storage, who: str, question: str | None) -> int:
    """Take back all answers of a judge, or those to one question. Returns how many."""
    taken = [
        judgement
        for judgement in read_judgements(storage)
        if judgement.who == who and question in (None, judgement.question)
    ]
    if taken:
        newest = datetime.fromisoformat(max(judgement.at for judgement in taken))
        at = text_of_time(max(datetime.now(UTC), newest + timedelta(microseconds=1)))
        add_judgements(storage, [replace(old, at=at, answer=WITHDRAWN) for old in taken])
    return len(taken)


class _Questions:
    """The questions of sheets, asked again of their snapshots, to see which spaces proposed what."""

    def __init__(self, view_of: Callable[[str], SnapshotView]) -> None:
        self._view_of = view_of
        self._asked: dict[
            tuple[str, str, str, str], tuple[Iterator[Judgement], list[Judgement]]
        ] = {}

    def of(self, texts: Mapping[str, str]) -> Judgement:
        """The judgement of a row, without a time. Raises ValueError with the kind of row that it is
        instead."""
        answer = texts["answer"].lower()
        if answer not in {*Answer}:
            raise ValueError(f"rows with an answer that is none of {', '.join(Answer)}")
        match = _ASKED.match(texts["asked"])
        if match is None or not 1 <= int(match[3]) <= MOST_ASKED:
            raise ValueError("rows that no sheet of `simsearch judgements ask` has (column asked)")
        key = match[1], match[2], texts["question"], texts["who"]
        judgement = self._find(key, int(match[3]))
        hashes = [f"{place}_hash" for place in ("work", "left", "right")]
        if judgement is None or any(getattr(judgement, name) != texts[name] for name in hashes):
            raise ValueError("rows of another question, judge or picture than the sheet had")
        return replace(judgement, answer=answer)

    def _find(self, key: tuple[str, str, str, str], number: int) -> Judgement | None:
        snapshot, seed, question, who = key
        if key not in self._asked:
            try:
                view = self._view_of(snapshot)
            except (NotFoundError, UsageError):
                raise ValueError("rows of a snapshot that is no longer there") from None
            self._asked[key] = ask(view, question, who, int(seed)), []
        questions, known = self._asked[key]
        known += islice(questions, max(0, number - len(known)))
        return known[number - 1] if number <= len(known) else None


def _text(value: Any) -> str:
    text = one_line("" if value is None else str(value))
    if text.startswith("'") and re.match(FORMULA, text[1:]):
        return text[1:]  # as spreadsheets are kept from computing it
    return text


def _exported(texts: Mapping[str, str], latest: str) -> Judgement:
    """The judgement of an exported row. Raises ValueError with the kind of row that it is instead."""
    if texts["answer"] not in {*Answer} or texts["kind"] not in {*Kind}:
        raise ValueError(f"rows with an answer that is none of {', '.join(Answer)}, or of no kind")
    if not all(_HASH.match(texts[f"{place}_hash"]) for place in ("work", "left", "right")):
        raise ValueError("rows without three content hashes of 64 hexadecimal digits")
    if not (texts["who"] and texts["question"] and _ASKED.match(texts["asked"])):
        raise ValueError("rows without a judge, a question or what was asked")
    try:
        rank = int(texts["rank"])
        seconds = float(texts["seconds"]) if texts["seconds"] else None
        time = datetime.fromisoformat(texts["at"])
        at = text_of_time(time)
    except (ValueError, OverflowError):
        raise ValueError("rows without a time, a rank or seconds") from None
    if time.tzinfo is None or at > latest:
        raise ValueError("rows of a time that is yet to come, or without a time zone")
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("rows without a time, a rank or seconds")
    values: dict[str, Any] = {**texts, "rank": rank, "seconds": seconds, "at": at}
    return Judgement(**values)
