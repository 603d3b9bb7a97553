"""Files made to cost much, and files cut short: named rejects, in little time and memory."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile

from simsearch.images import profiles
from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.images.limits import ImageError
from tests.images.test_colour_spaces import png

SIZE = 8_000_000  # bytes; a file may have hundreds of millions
PNG_HEAD = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s5xI", 13, b"IHDR", 1) + bytes(8)
CODESTREAM = b"\xff\x4f\xff\x51" + struct.pack(
    ">HH8IHBBB", 41, 0, 9, 9, 0, 0, 9, 9, 0, 0, 1, 7, 1, 1
)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def jp2(*inside: bytes) -> bytes:
    signature = b"\0\0\0\x0cjP  \r\n\x87\n"
    return signature + box(b"jp2h", b"".join(inside)) + box(b"jp2c", CODESTREAM)


def shared_tags() -> bytes:
    """A TIFF whose tags all point to the same bytes."""
    count = 200
    place = 10 + 12 * count
    tags = (struct.pack("<HHII", 300 + n, 1, SIZE - place, place) for n in range(count))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(tags) + bytes(SIZE - place)


def profile_bomb(number: int = 0) -> bytes:
    """A PNG of few bytes whose profile has 16 MB, every tag of it the whole."""
    size, count = 16 * 2**20, 200
    tags = b"".join(struct.pack(">4sII", b"t%03d" % n, 0, size) for n in range(count))
    head = struct.pack(">I12s4s", size, b"", b"RGB ").ljust(124, b"\0") + struct.pack(
        ">II", number, count
    )
    packed = b"x\0\0" + zlib.compress((head + tags).ljust(size, b"\0"))
    chunk = struct.pack(">I4s", len(packed), b"iCCP") + packed + bytes(4)
    return PNG_HEAD + chunk


HOSTILE: dict[str, Callable[[], bytes]] = {
    "JPEG of empty segments": lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * (SIZE // 4),
    "JPEG of filling": lambda: b"\xff\xd8" + b"\xff" * SIZE,
    "PNG of empty chunks": lambda: PNG_HEAD + struct.pack(">I4sI", 0, b"abcd", 0) * (SIZE // 12),
    "PNG with a packed profile": profile_bomb,
    "JPEG 2000 of empty boxes": lambda: jp2(box(b"pclr", b"") * (SIZE // 8)),
    "JPEG 2000 of channels": lambda: jp2(box(b"cdef", bytes(SIZE))),
    "TIFF of shared tags": shared_tags,
    "portable map of comments": lambda: b"P5" + b"\n# a" * (SIZE // 4),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hashing_a_hostile_file_takes_little_time_and_memory(name: str) -> None:
    data = HOSTILE[name]()
    tracemalloc.start()
    began = time.process_time()
    content_hash(data)
    took = time.process_time() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 2.0  # tracemalloc alone makes it five times slower
    assert most < 100 * 2**20


@pytest.mark.slow
def test_large_profiles_are_not_kept_in_memory() -> None:
    tracemalloc.start()
    for number in range(4):
        content_hash(profile_bomb(number))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * profiles.LARGEST_SRGB


@pytest.mark.slow
def test_no_bytes_make_the_hash_fail() -> None:
    random = np.random.default_rng(0)
    samples = [made()[:3000] for made in HOSTILE.values()]
    for _ in range(2000):
        data = bytearray(samples[random.integers(len(samples))])
        for place in random.integers(0, min(len(data), 200), 6):
            data[place] = random.choice([0, 1, 0x7F, 0x80, 0xFF, int(random.integers(256))])
        assert len(content_hash(bytes(data[: random.integers(1, len(data))]))) == 64


def test_a_png_of_16_bits_is_measured_before_it_is_decoded() -> None:
    side = 8000
    whole = bytearray(png(np.zeros((1, 1, 1), int), 16, 0))
    whole[16:24] = struct.pack(">II", side, side)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    began = time.process_time()
    with pytest.raises(ImageError, match="too many pixels"):
        decode(bytes(whole), max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    assert time.process_time() - began < 0.5


def deep() -> dict[str, bytes]:
    samples = np.random.default_rng(0).integers(0, 4096, (48, 64, 3)).astype(np.uint16)
    inside = io.BytesIO()
    tifffile.imwrite(inside, samples, photometric="rgb", compression="jpeg", bitspersample=12)
    return {
        "JPEG": bytes(imagecodecs.jpeg_encode(samples, 95, bitspersample=12)),
        "JPEG-LS": bytes(imagecodecs.jpegls_encode(samples)),
        "TIFF": inside.getvalue(),
    }


@pytest.mark.parametrize("kind", ["JPEG", "JPEG-LS", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_deep_jpeg_that_is_cut_is_broken(kind: str, share: float) -> None:
    data = deep()[kind]
    decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    cut = data[: int(len(data) * share)]
    with pytest.raises(ImageError) as caught:
        decode(cut, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    assert caught.value.reason == "broken"
