"""HEIF and AVIF files whose properties say how they are turned (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_TURNS = (b"irot", b"imir")
_FULL = 4  # bytes of version and flags


def turned(data: bytes, properties: Sequence[tuple[str, int]]) -> bytes:
    """A file of one or two items with these properties `irot` and `imir` in place of its own."""
    start, end = _box(data, b"meta", 0, len(data))
    inside = start + 8 + _FULL
    first, last = _box(data, b"iprp", inside, end)
    shared = _box(data, b"ipco", first + 8, last)
    kinds = [kind for kind, _, _ in _boxes(data, shared[0] + 8, shared[1])]
    added = b"".join(struct.pack(">I4sB", 9, kind.encode(), turn) for kind, turn in properties)
    whole = _made(b"ipco", data[shared[0] + 8 : shared[1]] + added)
    items = _items(data, _box(data, b"ipma", first + 8, last), kinds, len(properties))
    iprp = _made(b"iprp", whole + items)
    meta = bytearray(_made(b"meta", data[start + 8 : first] + iprp + data[last:end]))
    _move(meta, len(meta) - (end - start))
    return data[:start] + bytes(meta) + data[end:]


def _items(data: bytes, box: tuple[int, int], kinds: list[bytes], count: int) -> bytes:
    """Which properties each item has: its own but for turns, then the last `count` ones."""
    place = box[0] + 8 + _FULL
    (items,) = struct.unpack_from(">I", data, place)
    lines = bytearray(data[box[0] + 8 : place + 4])
    place += 4
    for _ in range(items):
        number, own = struct.unpack_from(">HB", data, place)
        numbers = data[place + 3 : place + 3 + own]
        kept = bytes(key for key in numbers if kinds[(key & 0x7F) - 1] not in _TURNS)
        new = kept + bytes(0x80 | len(kinds) + place for place in range(1, count + 1))
        lines += struct.pack(">HB", number, len(new)) + new
        place += 3 + own
    return _made(b"ipma", bytes(lines))


def _move(meta: bytearray, by: int) -> None:
    """Move the places of the items' contents by as many bytes as the box has grown."""
    start, _ = _box(bytes(meta), b"iloc", 8 + _FULL, len(meta))
    version, sizes, more = meta[start + 8], meta[start + 12], meta[start + 13]
    offset, length, base = sizes >> 4, sizes & 15, more >> 4
    (items,) = struct.unpack_from(">H", meta, start + 14)
    place = start + 16
    for _ in range(items):
        place += 4 + 2 * (version > 0)
        _add(meta, place, base, by)
        place += base
        (extents,) = struct.unpack_from(">H", meta, place)
        place += 2
        for _ in range(extents):
            _add(meta, place, 0 if base else offset, by)
            place += offset + length


def _add(meta: bytearray, place: int, size: int, by: int) -> None:
    value = int.from_bytes(meta[place : place + size], "big") + by if size else 0
    meta[place : place + size] = value.to_bytes(size, "big")


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, start + length
        start += length


def _box(data: bytes, kind: bytes, start: int, end: int) -> tuple[int, int]:
    return next((begin, stop) for name, begin, stop in _boxes(data, start, end) if name == kind)


def _made(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
