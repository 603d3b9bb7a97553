"""JPEG of other depths than 8 bits, by imagecodecs: Pillow reads none."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from simsearch.images.limits import ImageError
from simsearch.images.samples import Deep, Samples

_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_SCAN, _END = 0xDA, 0xD9
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"


def open_jpeg(data: bytes) -> Deep | None:
    """A JPEG of more than 8 bits or a JPEG-LS; None for all others. Raises ImageError."""
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

        decoder = imagecodecs.jpegls_decode if marker == _JPEG_LS else imagecodecs.jpeg_decode
        bands = np.atleast_3d(decoder(data))
        return Samples(colours=bands, space="gray" if count == 1 else "rgb", bits=bits)

    parts = sorted(body[12:] for _, body in segments if body.startswith(_ICC))
    profile = b"".join(part[2:] for part in parts) or None
    return Deep((width, height), read, profile, _orientation(segments))


def frame_of(data: bytes) -> tuple[int, int, int]:
    """Width, height and number of bands. Raises ValueError where the header says none."""
    for marker, body in _segments(data):
        if marker in _FRAMES:
            _, height, width, count = struct.unpack_from(">BHHB", body)
            return width, height, count
    raise ValueError("a JPEG without a frame")


def _orientation(segments: list[tuple[int, bytes]]) -> int:
    for _, body in segments:
        if body.startswith(_EXIF):
            exif = Image.Exif()
            exif.load(io.BytesIO(body).getvalue())
            return int(exif.get(0x0112, 1))
    return 1


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and contents of each segment before the first scan."""
    start = 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        marker = data[start + 1]
        if marker == 0xFF:  # filling
            start += 1
            continue
        if marker in (_SCAN, _END):
            return
        (length,) = struct.unpack_from(">H", data, start + 2)
        yield marker, data[start + 4 : start + 2 + length]
        start += 2 + max(2, length)
