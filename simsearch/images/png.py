"""PNG: 16 bits by imagecodecs, and the colour space that a file's chunks name.

As the standard (W3C PNG, third edition) ranks them: cICP, iCCP, sRGB, then gAMA and cHRM.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from simsearch.images.colour_codes import (
    SRGB_PRIMARIES,
    is_known,
    profile_of,
    profile_of_codes,
    refuse_high_dynamic_range,
)
from simsearch.images.samples import Deep, Samples

GAMMA_TOLERANCE = 0.05  # libpng's: a gamma nearer to 2.2 than this is sRGB's
PRIMARY_TOLERANCE = 0.005
MOST_CHUNKS = 10_000  # read; a hostile file of 100 MB has 8 million, which take a minute


def bits_of(data: bytes) -> int:
    """Bits per sample."""
    return data[24] if len(data) > 24 else 8


def open_png(data: bytes, size: tuple[int, int], profile: bytes | None, orientation: int) -> Deep:
    """A picture of 16 bits a sample."""

    def read() -> Samples:
        import imagecodecs

        bands = np.atleast_3d(imagecodecs.png_decode(data))
        opaque = bands.shape[2] in (1, 3)
        colours = bands if opaque else bands[:, :, :-1]
        return Samples(
            colours=colours,
            space="gray" if colours.shape[2] == 1 else "rgb",
            bits=16,
            alpha=None if opaque else bands[:, :, -1],
        )

    return Deep(size, read, profile, orientation)


def colour_profile(data: bytes, embedded: bytes | None) -> bytes | None:
    """The profile of a PNG's colours, None for sRGB. `embedded` is the profile in its iCCP chunk. Raises
    ImageError for a high dynamic range, which has no agreed look on an ordinary screen."""
    named = dict(chunks(data))
    coded = named.get(b"cICP", b"")
    if len(coded) == 4:
        primaries_code, curve_code = coded[:2]
        refuse_high_dynamic_range(curve_code, "a PNG")
        if is_known(primaries_code, curve_code):
            return profile_of_codes(primaries_code, curve_code)
    if embedded is not None:
        return embedded
    if b"sRGB" in named:
        return None
    gamma = primaries = None
    if len(named.get(b"gAMA", b"")) == 4 and any(named[b"gAMA"]):
        gamma = 100_000 / int.from_bytes(named[b"gAMA"], "big")
        if abs(gamma / 2.2 - 1) < GAMMA_TOLERANCE:
            gamma = None
    if len(named.get(b"cHRM", b"")) == 32:
        primaries = tuple(value / 100_000 for value in struct.unpack(">8I", named[b"cHRM"]))
        if max(map(abs, np.subtract(primaries, SRGB_PRIMARIES))) < PRIMARY_TOLERANCE:
            primaries = None
    return profile_of(primaries, gamma)


def chunks(data: bytes, longest: int = 32) -> Iterator[tuple[bytes, bytes]]:
    """The name and contents of each chunk before the pixels with at most `longest` bytes."""
    for name, start, length in _places(data):
        if name == b"IDAT":
            return
        if length <= longest:
            yield name, data[start : start + length]


def exif_of(data: bytes) -> bytes | None:
    """The contents of the chunk eXIf, which may come after the pixels."""
    for name, start, length in _places(data):
        if name == b"eXIf":
            return data[start : start + length]
    return None


def _places(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, the place of its contents, and their length."""
    start = 8
    for _ in range(MOST_CHUNKS):
        if start + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, start + 8, length
        start += length + 12
