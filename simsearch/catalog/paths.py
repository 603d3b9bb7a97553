"""Paths into nested records, and texts made of them.

    title                        a column, or a key of a JSON object
    images[0].image_url          the first of a list, then a key of it
    creator[].full_name          a key of each in a list
    https://x.org/{image_id}     a text with paths in braces; nothing where one of them has nothing

A column whose whole name looks like a path ("objectTitle[1]") is that column.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from simsearch.errors import CatalogError

Record = Mapping[str, Any]
Getter = Callable[[Record], list[Any]]
"""All values that a path leads to in a record, empty ones left out."""

_STEP = re.compile(r"^([^\[\].]+)(?:\[(\d*)\])?$")
_BRACES = re.compile(r"\{([^{}]+)\}")


def text(value: Any) -> str | None:
    """A value as text without surrounding space. None for an empty value and for bytes that are no text.

    Whole numbers stored as floating-point ones lose their ".0". A list is joined.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        try:
            return text(value.decode())
        except UnicodeDecodeError:
            return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.timedelta):
        return _duration(value)
    if isinstance(value, list | tuple | Mapping):
        return ", ".join(part for leaf in _leaves(value) if (part := text(leaf))) or None
    return str(value).strip() or None


def _number(value: float) -> str | None:
    """The shortest digits of a number, without an exponent: 10²³ becomes 1 and 23 zeros. None for NaN,
    pandas' empty cell."""
    if value != value:
        return None
    if math.isinf(value) or value == 0:
        return str(abs(value) if value == 0 else value).removesuffix(".0")
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _duration(value: dt.timedelta) -> str:
    """Hours, minutes and seconds, as tables show a length of time: 30:05:00."""
    seconds = abs(value)
    minutes, rest = divmod(seconds // dt.timedelta(seconds=1), 60)
    fraction = f".{seconds.microseconds:06d}".rstrip("0") if seconds.microseconds else ""
    sign = "-" if value < dt.timedelta() else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{rest:02d}{fraction}"


def _leaves(value: Any) -> Iterator[Any]:
    """All values in lists and mappings of any depth, in order."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, list | tuple):
            waiting.extend(reversed(value))
        else:
            yield value


def top_level(path: str, columns: Collection[str]) -> list[str]:
    """The columns at which a path, or the paths in a text, start."""
    if path in columns:
        return [path]
    inner_paths = _BRACES.findall(path)
    if inner_paths:
        return [name for inner_path in inner_paths for name in top_level(inner_path, columns)]
    return [path.partition(".")[0].partition("[")[0]]


def getter(path: str, columns: Collection[str]) -> Getter:
    """Compile a path or a text with paths. Raises CatalogError for one that is neither."""
    if path in columns:

        def value(record: Record) -> list[Any]:
            cell = record.get(path)
            if cell is None or cell == "":
                return []
            return _remove_empty(cell) if isinstance(cell, list) else [cell]

        return value
    if _BRACES.search(path):
        return _template(path, columns)
    steps = [_step(part, path) for part in path.split(".")]

    def values(record: Record) -> list[Any]:
        reached: list[Any] = [record]
        for name, position in steps:
            reached = [
                value
                for parent in reached
                if isinstance(parent, Mapping)
                for value in _at(parent.get(name), position)
            ]
        return _remove_empty(reached)

    return values


def first_of(getters: Sequence[Getter]) -> Getter:
    """A getter of the values of the first path that leads to any."""
    if len(getters) == 1:
        return getters[0]

    def values(record: Record) -> list[Any]:
        return next((reached for get in getters if (reached := get(record))), [])

    return values


def _template(path: str, columns: Collection[str]) -> Getter:
    names = _BRACES.findall(path)
    parts = _BRACES.split(path)[::2]  # the text around the braces
    getters = [getter(name, columns) for name in names]

    def values(record: Record) -> list[Any]:
        filled = [text(reached[0]) if (reached := get(record)) else None for get in getters]
        if not all(filled):
            return []
        joined = zip(parts, [*(str(value) for value in filled), ""], strict=True)
        return ["".join(piece for pair in joined for piece in pair)]

    return values


def _step(part: str, path: str) -> tuple[str, int | None]:
    """One step of a path: its key, and the member of the key's list: an index, −1 for every member, None
    for the value itself."""
    match = _STEP.match(part)
    if match is None:
        raise CatalogError(
            f"catalog.columns: {path!r} is no path; write a column's name, images[0].url or creator[].name"
        )
    name, position = match.groups()
    return name, None if position is None else int(position or -1)


def _at(value: Any, position: int | None) -> list[Any]:
    if position is None:
        return [value]
    if not isinstance(value, list):
        return []
    if position < 0:
        return value
    return value[position : position + 1]


def _remove_empty(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(value if isinstance(value, list) else [value])
    return [value for value in flat if value is not None and value != ""]
