"""Values that are made once, at the first question for them, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Memo:
    """Makes each key's value once and keeps it.

    A caller whose value is being made waits for it, while callers with other keys are answered. Of
    more than `kept` values the one that was not asked for the longest is dropped."""

    def __init__(self, kept: int | None = None) -> None:
        self._kept = kept
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The key's value, made by `make` at the first call; if that raises, the next caller tries
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
