"""TIFF files of any kind, written byte by byte, so that reading them is compared with known values."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

GREY_WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
INTEGERS, SIGNED, FLOATS = 1, 2, 3
ASSOCIATED, UNASSOCIATED = 1, 2
_TEXT, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_LONG_TAGS = {273, 279, 34675}


def _deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def _lzw(data: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.lzw_encode(data))


def _zstd(data: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.zstd_encode(data))


def _packbits(data: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.packbits_encode(data))


COMPRESSIONS: dict[int, Callable[[bytes], bytes]] = {
    1: bytes,
    8: _deflated,
    32946: _deflated,
    5: _lzw,
    50000: _zstd,
    32773: _packbits,
}


def tiff(
    samples: npt.NDArray[Any],
    *,
    photometric: int,
    bits: int,
    kind: int = INTEGERS,
    order: str = "<",
    planar: bool = False,
    compression: int = 1,
    encoded: bytes | None = None,
    rows_per_strip: int | None = None,
    tags: Mapping[int, Any] | None = None,
) -> bytes:
    """A TIFF of samples [h, w, channels]. If `encoded` is given, it is written in place of the packed samples.
    `tags` are added to the tags that follow from the samples, or replace them."""
    height, width, channels = samples.shape
    step = rows_per_strip or height
    planes = np.moveaxis(samples, 2, 0)[:, :, :, None] if planar else samples[None]
    strips = [
        COMPRESSIONS[compression](packed(plane[top : top + step], bits, kind, order))
        for plane in planes
        for top in range(0, height, step)
    ]
    if encoded is not None:
        strips = [encoded]
    entries: dict[int, Any] = {
        256: width,
        257: height,
        258: (bits,) * channels,
        259: compression,
        262: photometric,
        277: channels,
        278: step,
        284: 2 if planar else 1,
        339: (kind,) * channels,
        **(tags or {}),
    }
    starts, at = [], 8
    for strip in strips:
        starts.append(at)
        at += len(strip)
    entries[273], entries[279] = tuple(starts), tuple(len(strip) for strip in strips)
    at += at % 2
    body = b"".join(strips)
    body += b"\0" * (at - 8 - len(body))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", at) + body + _directory(entries, at, order)


def _directory(entries: Mapping[int, Any], at: int, order: str) -> bytes:
    table, beyond = b"", b""
    end = at + 2 + 12 * len(entries) + 4
    for tag, value in sorted(entries.items()):
        if isinstance(value, bytes):
            kind, count, data = _UNDEFINED, len(value), value
        elif isinstance(value, str):
            kind, count, data = _TEXT, len(value) + 1, value.encode() + b"\0"
        else:
            values = value if isinstance(value, tuple) else (value,)
            kind = _LONG if tag in _LONG_TAGS else _SHORT
            count = len(values)
            if isinstance(values[0], Fraction):
                kind = _RATIONAL
                values = tuple(part for value in values for part in value.as_integer_ratio())
            letter = "H" if kind == _SHORT else "I"
            data = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(data) > 4:
            beyond += data + b"\0" * (len(data) % 2)
            place = end + len(beyond) - len(data) - len(data) % 2
            data = struct.pack(f"{order}I", place)
        table += struct.pack(f"{order}HHI", tag, kind, count) + data.ljust(4, b"\0")
    return struct.pack(f"{order}H", len(entries)) + table + bytes(4) + beyond


def packed(samples: npt.NDArray[Any], bits: int, kind: int, order: str) -> bytes:
    """Samples [h, w, channels] as a file stores them: each row begins at a new byte."""
    if bits >= 8 and bits & (bits - 1) == 0:
        letter = {INTEGERS: "u", SIGNED: "i", FLOATS: "f"}[kind]
        return samples.astype(np.dtype(f"{order}{letter}{bits // 8}")).tobytes()
    places = np.arange(bits - 1, -1, -1)
    rows = samples.reshape(len(samples), -1, 1).astype(np.uint32) >> places & 1
    return np.packbits(rows.reshape(len(samples), -1).astype(np.uint8), axis=1).tobytes()
