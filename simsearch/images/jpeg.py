"""JPEG of other depths than 8 bits, by imagecodecs. Pillow cannot read them."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from simsearch.images.limits import ImageError
from simsearch.images.samples import Deep, Samples

_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_SCAN, _END = 0xDA, 0xD9
_FILLING = re.compile(rb"\xff+")
MOST_SEGMENTS = 10_000  # read; a hostile file of 100 MB has 25 million, which take a minute
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"


def open_jpeg(data: bytes) -> Deep | None:
    """A JPEG of more than 8 bits or a JPEG-LS. None for other files. Raises ImageError."""
    segments = list(_segments(data))
    frames = [(marker, body) for marker, body in segments if marker in _FRAMES and len(body) >= 6]
    if not frames:
        return None
    marker, frame = frames[0]
    bits, height, width, count = struct.unpack_from(">BHHB", frame)
    if bits == 8 and marker != _JPEG_LS:
        return None
    if count not in (1, 3) or not 2 <= bits <= 16:
        raise ImageError("unsupported", f"a JPEG of {bits} bits with {count} bands")

    def read() -> Samples:
        import imagecodecs

        if _is_torn(data):  # libjpeg would fill the rest up
            raise ImageError("broken", "image file is truncated")
        decoder = imagecodecs.jpegls_decode if marker == _JPEG_LS else imagecodecs.jpeg_decode
        bands = np.atleast_3d(decoder(data))
        return Samples(colours=bands, space="gray" if count == 1 else "rgb", bits=bits)

    parts = sorted(body[12:] for _, body in segments if body.startswith(_ICC))
    profile = b"".join(part[2:] for part in parts) or None
    return Deep((width, height), read, profile, _orientation(segments))


def _orientation(segments: list[tuple[int, bytes]]) -> int:
    for _, body in segments:
        if body.startswith(_EXIF):
            exif = Image.Exif()
            exif.load(io.BytesIO(body).getvalue())
            return int(exif.get(0x0112, 1))
    return 1


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and contents of each segment before the first scan."""
    for marker, start, stop in _places(data):
        if marker in (_SCAN, _END):
            return
        yield marker, data[start:stop]


def _is_torn(data: bytes) -> bool:
    """Whether no marker ends the pixels. Thumbnails, which lie before the pixels, have their own ends."""
    for marker, start, _ in _places(data):
        if marker == _SCAN:
            return data.find(bytes((0xFF, _END)), start) < 0
    return True


def _places(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker of each segment up to the first scan, and the places where its contents begin and end."""
    start = 2
    for _ in range(MOST_SEGMENTS):
        filling = _FILLING.match(data, start)
        if filling is None or filling.end() + 3 > len(data):
            return
        start = filling.end()
        marker = data[start]
        (length,) = struct.unpack_from(">H", data, start + 1)
        yield marker, start + 3, start + 1 + length
        if marker in (_SCAN, _END):
            return
        start += 1 + max(2, length)
