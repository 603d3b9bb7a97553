"""Small pictures of originals for the explorer: WebP, named by the hash of the file they show."""

from __future__ import annotations

import io

from PIL import Image

FOLDER = "thumbnails"
SIZES = (96, 400, 1200)  # longest side in pixels: a point of the map, a card, the artwork's page

# The sizes written with the vectors. A third-size thumbnail takes as much space and time as ten of the
# second size, and people look at one picture at a time in that size.
EARLY_SIZES = (96, 400)

WEBP_QUALITY = 82
WEBP_METHOD = 2  # 400 pixels of a scan: 10 ms for 25 kB; method 4: 16 ms for 24 kB


def thumbnail_path(content_hash: str, size: int) -> str:
    """The path, relative to the root, of the thumbnail whose longer side is `size` pixels."""
    return f"{FOLDER}/{content_hash}-{size}.webp"


def hash_of_path(path: str) -> str:
    """The content hash in a `thumbnail_path`, with or without its folder."""
    return path.rpartition("/")[2].partition("-")[0]


def is_whole(data: bytes) -> bool:
    """Whether a stored thumbnail is a WebP file of the length that it names. A flipped bit in its pixels is not
    found."""
    length = int.from_bytes(data[4:8], "little") + 8
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) == length


def sizes_of(side: int | None) -> tuple[int, ...]:
    """The EARLY_SIZES that fit if extraction decodes pictures to a longer side of at most `side` pixels
    (None: to full size)."""
    return tuple(size for size in EARLY_SIZES if side is None or size <= side)


def encode(picture: Image.Image, size: int) -> bytes:
    """An RGB picture as WebP, scaled down to a longer side of at most `size` pixels."""
    small = picture.copy()
    small.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return buffer.getvalue()
