"""Records in JSON: an array, the only list in an object, or an object a line. Numbers stay as written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from simsearch.catalog.image_names import shorten
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError

Rows = list[dict[str, Any]]
NOT_A_RECORD = "lines that are no JSON object"
NOT_AN_OBJECT = "items that are no JSON object"

_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def json_records(source: str, text: str, notes: Notes) -> tuple[Rows, list[str] | None]:
    """The records, and their places in words (None: their numbers).

    A line that is no record is left out and counted. Raises CatalogError for text that is not JSON.
    """
    decoder = _Decoder()
    places = None
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError) as whole_error:
        value, places = _lines(source, text, decoder, notes, whole_error)
    if isinstance(value, dict):
        lists = {
            key: items
            for key, items in value.items()
            if isinstance(items, list) and _are_records(items)
        }
        if len(lists) == 1 and not _looks_like_a_record(value):
            ((key, value),) = lists.items()
            notes.say(f"{source}: the records are those under {key!r}")
        elif _is_transposed(value):
            raise CatalogError(
                f"{source}: JSON whose rows are no list; write a list of records (in pandas: to_json(orient='records'))"
            )
        else:
            value = [value]
    if not isinstance(value, list) or (value and not _are_records(value)):
        raise CatalogError(f"{source}: JSON that is no list of records; check catalog.source")
    if odd := [number for number, item in enumerate(value) if not isinstance(item, dict)]:
        notes.leave_out(NOT_AN_OBJECT, f"item {odd[0] + 1:,}", len(odd))
        places = [f"item {n:,}" for n, item in enumerate(value, 1) if isinstance(item, dict)]
        value = [item for item in value if isinstance(item, dict)]
    if _ESCAPED.search(text) and (halves := _make_whole(value)):
        notes.say(
            f"{source}: {len(halves):,} texts have half a character (a lone surrogate), read as � (first: {halves[0][:60]!r})"
        )
    if decoder.repeated:
        key, count = decoder.repeated[0], len(decoder.repeated)
        notes.say(
            f"{source}: {count:,} objects have a key twice, the last one counts (first: {shorten(key)!r})"
        )
    return value, places


class _Decoder:
    """Reads JSON with its numbers as texts: 1999.10 keeps its last zero. Texts may contain raw control
    characters, as some programs write them."""

    def __init__(self) -> None:
        self.repeated: list[str] = []  # keys that an object has twice
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=str,
            parse_int=str,
            parse_constant=lambda name: None if name == "NaN" else name,
            strict=False,
        )

    def decode(self, text: str) -> Any:
        return self._decoder.decode(text)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            self.repeated.append(next(name for name in names if names.count(name) > 1))
        return value


def _lines(
    source: str, text: str, decoder: _Decoder, notes: Notes, whole_error: Exception
) -> tuple[Rows, list[str] | None]:
    """The records of JSON lines. Only a line feed ends a line, or a carriage return if the text has no
    line feed: texts in JSON may contain every other character that ends lines elsewhere."""
    lines = text.split("\n" if "\n" in text else "\r")
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    records: Rows = []
    numbers = []
    bad = []
    for number, line in filled:
        try:
            value = decoder.decode(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            records.append(value)
            numbers.append(number)
        else:
            bad.append(number)
    if len(bad) >= len(records):
        raise CatalogError(
            f"{source}: not valid JSON, neither whole nor line by line ({whole_error}); get the file again"
        ) from None
    notes.say(f"{source}: JSON lines")
    if bad:
        notes.leave_out(NOT_A_RECORD, f"line {bad[0]:,}", len(bad))
    in_order = numbers == list(range(1, len(numbers) + 1))
    return records, None if in_order else [f"line {number:,}" for number in numbers]


def _are_records(items: list[Any]) -> bool:
    """Whether at least half of a list's items are records."""
    return bool(items) and 2 * sum(isinstance(item, dict) for item in items) >= len(items)


def _is_transposed(value: Mapping[str, Any]) -> bool:
    """Whether the members of an object are the columns of a table, or its rows by their names, and not the
    values of one record: all are lists of one length, or objects of the same keys."""
    members = list(value.values())
    if len(members) < 2 or not all(isinstance(member, list | dict) for member in members):
        return False
    shapes = {
        len(member) if isinstance(member, list) else tuple(sorted(member)) for member in members
    }
    return len(shapes) == 1 and len(members[0]) > 1


def _make_whole(value: Any) -> list[str]:
    """Replace half characters in all texts of a value by �, in place. Returns the new texts."""
    replaced = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        pairs = list(container.items() if isinstance(container, dict) else enumerate(container))
        for key, item in pairs:
            if isinstance(item, dict | list):
                waiting.append(item)
            elif isinstance(item, str) and _SURROGATE.search(item):
                replaced.append(_SURROGATE.sub("�", item))
                container[key] = replaced[-1]
        if isinstance(container, dict) and any(_SURROGATE.search(key) for key in container):
            renamed = {_SURROGATE.sub("�", key): item for key, item in container.items()}
            container.clear()
            container.update(renamed)
            replaced.extend(key for key in renamed if "�" in key)
    return replaced


def _looks_like_a_record(value: Mapping[str, Any]) -> bool:
    return "title" in value or "id" in value
