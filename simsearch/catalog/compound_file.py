"""A file within a compound file, which Excel's workbooks of 1997 to 2003 are ([MS-CFB])."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_END = 0xFFFFFFFA  # numbers of sectors from here on are none
_IN_HEADER = 109  # sectors of the allocation table that the header names
_ENTRY = 128  # bytes of an entry of the directory
_ROOT, _STREAM = 5, 2


def read_stream(data: bytes, names: Sequence[str]) -> bytes:
    """The contents of the first of these streams that there is. Raises ValueError."""
    try:
        file = _CompoundFile(data)
        return next(file.stream(name) for name in names if name in file.entries)
    except (struct.error, IndexError, StopIteration):
        raise ValueError("a compound file whose directory cannot be read") from None


class _CompoundFile:
    """`entries` are the kind, first sector and size of each stream, by its name."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift, small_shift = struct.unpack_from("<HH", data, 30)
        directory, _, self._cutoff, small_table, _, more, _ = struct.unpack_from(
            "<IIIIIII", data, 48
        )
        if not 7 <= shift <= 16 or not 2 <= small_shift <= shift:
            raise ValueError("a compound file of sectors of an odd size")
        self._size: int = 1 << shift
        self._small_size: int = 1 << small_shift
        sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
        per_sector = self._size // 4
        while more < _END and len(sectors) * self._size <= len(data):
            *named, more = struct.unpack_from(f"<{per_sector}I", data, self._place(more))
            sectors += named
        self._table = [
            number
            for sector in sectors
            if sector < _END
            for number in struct.unpack_from(f"<{per_sector}I", data, self._place(sector))
        ]
        self.entries: dict[str, tuple[int, int, int]] = {}
        root = 0, _END, 0
        listing = self._chain(directory)
        for start in range(0, len(listing) - _ENTRY + 1, _ENTRY):
            entry = listing[start : start + _ENTRY]
            (length,) = struct.unpack_from("<H", entry, 64)
            first, size = struct.unpack_from("<II", entry, 116)
            name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if entry[66] == _ROOT:
                root = _ROOT, first, size
            elif entry[66] == _STREAM:
                self.entries.setdefault(name, (_STREAM, first, size))
        self._small = self._chain(root[1])
        table = self._chain(small_table)
        self._small_table = struct.unpack_from(f"<{len(table) // 4}I", table)

    def stream(self, name: str) -> bytes:
        _, first, size = self.entries[name]
        if size >= self._cutoff:
            return self._chain(first)[:size]
        pieces = [
            self._small[number * self._small_size : (number + 1) * self._small_size]
            for number in _numbers(first, self._small_table)
        ]
        return b"".join(pieces)[:size]

    def _place(self, sector: int) -> int:
        return (sector + 1) * self._size

    def _chain(self, first: int) -> bytes:
        places = map(self._place, _numbers(first, self._table))
        return b"".join(self._data[place : place + self._size] for place in places)


def _numbers(first: int, table: Sequence[int]) -> list[int]:
    """The numbers of a chain of sectors. Raises ValueError for one that does not end."""
    numbers = []
    while first < _END:
        numbers.append(first)
        if len(numbers) > len(table):
            raise ValueError("a compound file whose sectors run in a circle")
        first = table[first]
    return numbers
