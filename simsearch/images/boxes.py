"""The boxes of ISO base media files: JPEG 2000, AVIF, HEIF."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MOST_BOXES = 1000  # of 12 million that a hostile file of 100 MB has: to read them all takes minutes


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The name of each box, and the place of its contents."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        length, name = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if length == 0 else min(end, start + length)
        if stop < body:
            return
        yield name, (body, stop)
        start = stop
