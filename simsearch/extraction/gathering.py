"""Gather vectors into shards: as many as a shard should hold, or those of a minute. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from simsearch.extraction.batches import Batch

# Seconds of computed vectors that a killed run may lose, beside the block that an actor works on. Two
# networks on a busy machine made 1.8 vectors/s: a shard of 1,536 images would have taken 28 minutes, and
# a run killed after 26 had stored none of its 2,592 vectors. At a minute a shard, eight hours leave 480
# small shards a space, which compaction merges.
LONGEST_SECONDS = 60.0

T = TypeVar("T")


def gather(
    items: Iterable[T],
    count_rows: Callable[[T], int],
    most_rows: int,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[T]]:
    """Groups of `items` in their order. A group ends before it has more than `most_rows` rows, unless a
    single item has more. It also ends with the first item that comes LONGEST_SECONDS or more after the
    end of the group before it."""
    group: list[T] = []
    gathered = 0
    ended = clock()
    for item in items:
        rows = count_rows(item)
        if group and gathered + rows > most_rows:
            yield group
            group, gathered, ended = [], 0, clock()
        group.append(item)
        gathered += rows
        if clock() - ended >= LONGEST_SECONDS:
            yield group
            group, gathered, ended = [], 0, clock()
    if group:
        yield group


def count_images(batch: Batch) -> int:
    """The number of images of a batch."""
    return len(next(iter(batch.values())))


def cut(batch: Batch, size: int) -> Iterator[Batch]:
    """Parts of a batch, in their order, of `size` images each. The last one may have fewer."""
    for start in range(0, count_images(batch), size):
        yield {name: column[start : start + size] for name, column in batch.items()}


def join(batches: Sequence[Batch]) -> Batch:
    """One batch of the images of several, in their order."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
