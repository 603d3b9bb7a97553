"""JPEG of other depths than 8 bits, by imagecodecs. Pillow cannot read them. Also JPEG without an end."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from simsearch.images.limits import ImageError
from simsearch.images.orientation import exif_orientation
from simsearch.images.samples import Deep, Samples

_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_SCAN, _END = 0xDA, 0xD9
_FILLING = re.compile(rb"\xff+")
MOST_SEGMENTS = 10_000  # read; a hostile file of 100 MB has 25 million, which take a minute
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
_RESTART_INTERVAL = 0xDD
_DESCRIPTIONS = range(0xE0, 0xF0)
# Stand for pixels under any Huffman table, and are longer than a block. Their bits are opposite.
_NOISES = bytes((0x5A, 0x3C, 0x11, 0x47)) * 64, bytes((0xA5, 0xC3, 0xEE, 0xB8)) * 64
_FILLED_UP = b"\0\xff"  # to a file's full length, if a download broke off
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"
# The descriptions that decide the look of a picture, and the bytes without which they are damaged.
_SOUND = {b"JFIF\0": 14, b"Adobe": 12, _EXIF: 14, _ICC: 14}


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
    exif = next((body for _, body in segments if body.startswith(_EXIF)), b"")
    return Deep((width, height), read, profile, exif_orientation(exif))


def pixels_alone(data: bytes) -> bytes:
    """The file without damaged descriptions, for which Pillow refuses the whole picture, and without those
    that its look does not depend on."""
    kept = [data[:2]]
    end = 2
    for marker, start, stop in _places(data):
        body = data[start:stop]
        if marker not in _DESCRIPTIONS or any(
            body.startswith(name) and len(body) >= length for name, length in _SOUND.items()
        ):
            kept.append(bytes((0xFF, marker)) + data[start - 2 : stop])
        end = stop
    return b"".join(kept) + data[end:]


def with_end(data: bytes) -> bytes:
    """A JPEG that Pillow can read, with the marker that ends it. Pillow refuses a file that lacks this marker
    alone, which viewers forgive, and accepts one that is cut and filled up with zeros. Raises ImageError
    for a cut file."""
    if not _is_torn(data):
        return data
    kept = data.rstrip(_FILLED_UP)
    if data.startswith(b"\xff\0", len(kept)):  # a byte of pixels, and the zero that belongs to it
        kept = data[: len(kept) + 2]
    end = bytes((0xFF, _END))
    # Pixels that are absent would be taken from the noise. Absent scans and intervals would not show.
    pixels = _pixels(kept + end) if _is_one_stream(data) else None
    if pixels is None or any(_pixels(kept + noise + end) != pixels for noise in _NOISES):
        raise ImageError("broken", "image file is truncated")
    return kept + end


def _is_one_stream(data: bytes) -> bool:
    """Whether the first scan holds the whole picture, without restarts."""
    bands = b""
    for marker, start, stop in _places(data):
        if marker in _SEQUENTIAL:
            bands = data[start + 5 : start + 6]
        elif marker == _RESTART_INTERVAL and any(data[start:stop]):
            return False
        elif marker == _SCAN:
            return data[start : start + 1] == bands != b""
    return False


def _pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data), formats=["JPEG"]).tobytes()


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
