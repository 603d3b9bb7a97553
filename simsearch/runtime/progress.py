"""The progress of a step: a live bar on a terminal, a plain line every few seconds in a job's log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

log = logging.getLogger(__name__)

Advance = Callable[[int], None]
"""Called with the number of finished items."""


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f} {task.fields['unit']}/s")


@contextmanager
def progress(step: str, total: int, unit: str, log_seconds: float) -> Iterator[Advance]:
    """Show a step's progress. Yields a function to call with the number of finished items.

    The shown progress never falls and never exceeds the total. A counter whose process was replaced begins
    at 0 again: instead of its lower counts, the highest so far is shown.
    """
    shown = (
        _bar(step, total, unit) if sys.stderr.isatty() else _lines(step, total, unit, log_seconds)
    )
    with shown as advance:
        most = 0

        def onwards(done: int) -> None:
            nonlocal most
            most = max(most, min(done, total))
            advance(most)

        yield onwards


@contextmanager
def _bar(step: str, total: int, unit: str) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(step, total=total, unit=unit)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _lines(step: str, total: int, unit: str, log_seconds: float) -> Iterator[Advance]:
    last = time.monotonic()
    first: tuple[int, float] | None = None  # so that the rate excludes start-up

    def advance(done: int) -> None:
        nonlocal last, first
        now = time.monotonic()
        if first is None and done:
            first = done, now
        if now - last >= log_seconds:
            last = now
            since, at = first or (0, now)
            rate = (done - since) / (now - at) if now > at else 0.0
            log.info(line(step, done, total, unit, rate))

    yield advance


def line(step: str, done: int, total: int, unit: str, rate: float) -> str:
    """`extract: 1,200 of 6,000 images (20 %), 24.0 images/s, 3 min 20 s left`"""
    share = 100 * done / total if total else 100.0
    left = duration((total - done) / rate) + " left" if rate > 0 else "time left unknown"
    return f"{step}: {done:,} of {total:,} {unit} ({share:.0f} %), {rate:,.1f} {unit}/s, {left}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`"""
    total_seconds = round(seconds)
    if total_seconds < 60:
        return f"{total_seconds} s"
    if total_seconds < 3600:
        return f"{total_seconds // 60} min {total_seconds % 60} s"
    return f"{total_seconds // 3600} h {total_seconds % 3600 // 60} min"
