"""What a snapshot and a run keep of each step that was taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepRecord:
    """A finished step: the number of `items` that it worked on, their `unit`, the `seconds` that it took,
    and a `note` for readers."""

    name: str
    seconds: float
    items: int
    unit: str
    note: str = ""
