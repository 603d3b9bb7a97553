"""Values that are made once, at the first request, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Memo:
    """Makes each key's value once and keeps it.

    A caller waits while its value is being made, but callers with other keys go on. At most `kept` values
    stay: the least recently used is dropped first."""

    def __init__(self, kept: int | None = None) -> None:
        self._kept = kept
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The key's value, made by `make` at the first call. If `make` raises, the next caller tries
        again."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while self._kept is not None and len(self._entries) > self._kept:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.made:
                entry.value = make()
                entry.made = True
            value: _T = entry.value
            return value


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made = False
        self.value: Any = None
