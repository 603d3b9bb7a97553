"""The memory of a test process: what tests have dropped goes back to the system.

Two things keep it. A dropped network is a cycle of references (torch.fx's graph and its module), and a
run looks for those only after 100,000 new objects. glibc keeps freed blocks of up to 32 MiB, once it has
seen such sizes, and for every thread an arena: without this a test process grew to 4 GB.
"""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path

import pyarrow as pa

GROWTH = 150 * 2**20
"""Bytes more than after the last time. Giving back takes half a second, most of it for Python's look at
a million objects."""

# Of mallopt(3).
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
OWN_MAPPING = (
    4 * 2**20
)  # bytes: weights and large layers' outputs go back as soon as they are freed
ARENAS = 2  # for 40 threads of a server; the explorer's tests had 1.7 GB in theirs

_libc = ctypes.CDLL(None)
_after_last = _after_module = 0


def set_up_malloc() -> None:
    """Have glibc keep less of what this process frees; before it has threads."""
    _libc.mallopt(M_MMAP_THRESHOLD, OWN_MAPPING)
    _libc.mallopt(M_ARENA_MAX, ARENAS)


def resident() -> int:
    """The bytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give dropped objects and freed blocks back to the system."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    _libc.malloc_trim(0)


def give_back_growth(*, module_ends: bool = False) -> None:
    """`give_back` where the process has grown by GROWTH since the last time.

    At the end of a module it counts from the last module's end: what fixtures held in between is gone.
    """
    global _after_last, _after_module
    before = _after_module if module_ends else _after_last
    if resident() > before + GROWTH:
        give_back()
        _after_last = resident()
    if module_ends:
        _after_module = resident()
