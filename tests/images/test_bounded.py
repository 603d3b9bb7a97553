"""Decoding within limits gives this process's pixels; no file blocks, fills or crashes the process."""

from __future__ import annotations

import io
import os
import resource
import signal
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from simsearch.images import bounded
from simsearch.images.bounded import decode_within
from simsearch.images.decode import decode
from simsearch.images.limits import ImageError, Limits

LIMITS = Limits(
    max_pixels=150_000_000,
    max_bytes=2**28,
    max_seconds=60,
    max_memory=2 * 2**30,
    background="#ffffff",
)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def painting(width: int = 90, height: int = 60) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "JPEG2000", "AVIF"])
def test_the_pixels_are_those_of_decoding_here(kind: str) -> None:
    data = saved(painting(), kind)
    here = decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    np.testing.assert_array_equal(decode_within(data, LIMITS), here)


def test_a_large_picture_comes_at_the_size_that_is_used() -> None:
    data = saved(painting(1200, 800), "JPEG")
    limits = Limits(**{**LIMITS.__dict__, "side": 300})
    here = decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff", side=300)
    np.testing.assert_array_equal(decode_within(data, limits), here)
    assert here.size == (300, 200)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty file"), (b"<html>", "not an image"), (saved(painting(), "PNG")[:200], "broken")],
)
def test_reasons_come_through(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode_within(data, LIMITS)
    assert raised.value.reason == reason


@pytest.mark.slow
def test_an_image_that_takes_too_long_is_killed_and_the_next_is_read() -> None:
    slow = saved(painting(2500, 2500), "AVIF", quality=90, speed=10)
    limits = Limits(**{**LIMITS.__dict__, "max_seconds": 0.05})
    started = time.monotonic()
    with pytest.raises(ImageError) as raised:
        decode_within(slow, limits)
    assert raised.value.reason == "too slow"
    assert "images.max_seconds 0.05" in raised.value.detail
    assert time.monotonic() - started < 20
    assert decode_within(saved(painting(), "PNG"), LIMITS).size == (90, 60)


@pytest.mark.slow
def test_a_picture_that_needs_too_much_memory_costs_its_row() -> None:
    size = 12_000
    packer = zlib.compressobj(1)
    row = bytes(size * 4 + 1)
    rows = b"".join([*(packer.compress(row) for _ in range(size)), packer.flush()])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    assert len(bomb) < 3 * 2**20
    limits = Limits(**{**LIMITS.__dict__, "max_memory": 512 * 2**20})
    with pytest.raises(ImageError) as raised:
        decode_within(bomb, limits)
    assert raised.value.reason == "too much memory"
    assert decode_within(saved(painting(), "PNG"), LIMITS).size == (90, 60)


@pytest.mark.slow
def test_a_decoder_that_dies_costs_its_image_and_is_replaced() -> None:
    decode_within(saved(painting(), "PNG"), LIMITS)
    decoder = bounded._idle[-1]
    process = decoder._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # as if in the middle of an image

    def crash() -> None:
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGSEGV)
        os.kill(process.pid, signal.SIGCONT)

    thread = threading.Thread(target=crash)
    thread.start()
    with pytest.raises(ImageError) as raised:
        decode_within(saved(painting(), "PNG"), LIMITS)
    thread.join()
    assert raised.value.reason == "broken"
    assert "crashed" in raised.value.detail
    assert decode_within(saved(painting(), "PNG"), LIMITS).size == (90, 60)


@pytest.mark.slow
def test_a_process_with_more_than_1024_open_files_still_decodes() -> None:
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this system allows no 1,200 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, 1200), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert max(opened) > 1024
        bounded._idle.clear()  # the next one's pipes get numbers beyond
        assert decode_within(saved(painting(), "PNG"), LIMITS).size == (90, 60)
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@pytest.mark.slow
def test_many_at_once_get_their_own_pixels() -> None:
    pictures = [painting(40 + number, 30) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        decoded = list(
            pool.map(lambda picture: decode_within(saved(picture, "PNG"), LIMITS), pictures)
        )
    for picture, pixels in zip(pictures, decoded, strict=True):
        np.testing.assert_array_equal(pixels, picture)
