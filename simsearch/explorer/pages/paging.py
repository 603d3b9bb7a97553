"""Long lists cut into pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paging:
    """A page of a list by its `number`, from 1; the `count` of pages; `part`, the entries on it."""

    number: int
    count: int
    part: slice


def page_of(total: int, number: int, size: int) -> Paging:
    """The page asked for, its number brought into range, of a list of `total` entries."""
    count = max(1, -(-total // size))
    number = min(max(1, number), count)
    return Paging(number, count, slice((number - 1) * size, number * size))
