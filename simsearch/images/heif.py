"""The colour space that an AVIF or a HEIF names by numbers (box `colr` of kind `nclx`, ISO/IEC 23008-12).

Pillow and pillow-heif return the stored colours and only the profile of a file that has one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from simsearch.images.boxes import boxes
from simsearch.images.colour_codes import is_known, profile_of_codes, refuse_high_dynamic_range

_FULL = 4  # bytes of version and flags
MOST_ITEMS = 10_000  # of which a phone's picture has some hundred


def colour_profile(data: bytes, kind: str, embedded: bytes | None) -> bytes | None:
    """The profile of the picture's colours, None for sRGB. `embedded` is the ICC profile of the file, which
    comes before numbers. Raises ImageError for a high dynamic range."""
    if embedded is not None:
        return embedded
    try:
        named = _named_colours(data)
    except (KeyError, IndexError, struct.error):
        named = None  # Pillow's libraries read the file, so its directory is of a rarer kind
    if named is None:
        return None
    refuse_high_dynamic_range(named[1], "an AVIF" if kind == "AVIF" else "a HEIF")
    return profile_of_codes(*named) if is_known(*named) else None


def _named_colours(data: bytes) -> tuple[int, int] | None:
    """The numbers of the primaries and of the curve of the file's primary item."""
    start, end = dict(boxes(data, 0, len(data)))[b"meta"]
    meta = dict(boxes(data, start + _FULL, end))
    primary = _primary(data, meta[b"pitm"][0])
    parts = dict(boxes(data, *meta[b"iprp"]))
    properties = list(boxes(data, *parts[b"ipco"]))
    for number in _properties(data, parts[b"ipma"], primary):
        name, (place, stop) = properties[number - 1]
        if name == b"colr" and data[place : place + 4] == b"nclx" and stop >= place + 8:
            primaries, curve = struct.unpack_from(">HH", data, place + 4)
            return primaries, curve
    return None


def _primary(data: bytes, place: int) -> int:
    kind = ">H" if data[place] == 0 else ">I"
    return int(struct.unpack_from(kind, data, place + _FULL)[0])


def _properties(data: bytes, box: tuple[int, int], item: int) -> Iterator[int]:
    """The numbers, from 1, of the properties of an item."""
    place, _ = box
    version, wide = data[place], data[place + 3] & 1
    (items,) = struct.unpack_from(">I", data, place + _FULL)
    place += _FULL + 4
    head = struct.Struct(">HB" if version == 0 else ">IB")
    for _ in range(min(items, MOST_ITEMS)):
        number, count = head.unpack_from(data, place)
        place += head.size
        if number == item:
            places = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, place)
            yield from (key & (0x7FFF if wide else 0x7F) for key in places if key)
            return
        place += count * (2 if wide else 1)
