"""PNG: 16 bits by imagecodecs, the colour space that a file's chunks name, and a file's pixels alone.

Colour spaces as the standard (W3C PNG, third edition) ranks them: cICP, iCCP, sRGB, then gAMA and cHRM.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from simsearch.images.colour_codes import (
    SRGB_PRIMARIES,
    is_known,
    profile_of,
    profile_of_codes,
    refuse_high_dynamic_range,
)
from simsearch.images.limits import ImageError
from simsearch.images.samples import Deep, Samples

GAMMA_TOLERANCE = 0.05  # libpng's: a gamma nearer to 2.2 than this is sRGB's
PRIMARY_TOLERANCE = 0.005
MOST_CHUNKS = 10_000  # read; a hostile file of 100 MB has 8 million, which take a minute
MOST_PIXEL_CHUNKS = 1_000_000  # a scan of 100 MB has 12,800 of 8 kB
LARGEST_PROFILE = 2**24  # bytes; the largest known profiles have some 4 MB
_LONGEST_PACKED_TEXT, _LARGEST_TEXT = 2**16, 2**20  # bytes; Pillow unpacks no larger text
_COLOUR_TYPE, _BY_PALETTE = 25, 3
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PACKED_EXIF = b"Raw profile type exif\0"  # as ImageMagick wrote it before there was eXIf


def bits_of(data: bytes) -> int:
    """Bits per sample."""
    return data[24] if len(data) > 24 else 8


def pixels_alone(data: bytes) -> bytes:
    """The file without the chunks that describe it, for Pillow: it refuses a picture with a profile or a text
    above 1 MB, or with a damaged description. `colour_profile` and `exif_of` read these from the whole
    file. Raises ImageError for damaged pixels: Pillow shows whatever they become."""
    kept: list[bytes] = []
    start = end = 8  # of the part that is kept
    has_palette = False
    for name, place, length in _places(data):
        whole = name != b"IDAT" or _is_whole(name, data, place, length)
        if not whole and place + length + 4 <= len(data):
            raise ImageError("broken", "pixels that do not have their checksum")
        if name == b"IDAT" and data[_COLOUR_TYPE] == _BY_PALETTE and not has_palette:
            raise ImageError("broken", "a PNG without its palette")
        has_palette |= name == b"PLTE"
        if not _has_pixels(name, data, place, length):
            kept.append(data[start:end])
            start = place + length + 4
        end = place + length + 4
    if not kept:
        return data
    return data[:8] + b"".join(kept) + data[start:]


def _has_pixels(name: bytes, data: bytes, place: int, length: int) -> bool:
    if (
        name in _PIXELS or not name[:1].islower()
    ):  # Pillow names an unknown chunk that it would need
        return True
    if name != b"zTXt" or not data.startswith(_PACKED_EXIF, place) or length > _LONGEST_PACKED_TEXT:
        return False
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(data[place + len(_PACKED_EXIF) + 1 : place + length], _LARGEST_TEXT)
    except zlib.error:
        return False
    return not unpacking.unconsumed_tail and _is_whole(name, data, place, length)


def _is_whole(name: bytes, data: bytes, place: int, length: int) -> bool:
    """Whether a chunk has the checksum of its contents."""
    stored = data[place + length : place + length + 4]
    return stored == struct.pack(">I", zlib.crc32(data[place : place + length], zlib.crc32(name)))


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


def colour_profile(data: bytes) -> bytes | None:
    """The profile of a PNG's colours, None for sRGB. Raises ImageError for a high dynamic range, which has
    no agreed look on an ordinary screen."""
    named = dict(chunks(data))
    coded = named.get(b"cICP", b"")
    if len(coded) == 4:
        primaries_code, curve_code = coded[:2]
        refuse_high_dynamic_range(curve_code, "a PNG")
        if is_known(primaries_code, curve_code):
            return profile_of_codes(primaries_code, curve_code)
    embedded = _embedded_profile(data)
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


def _embedded_profile(data: bytes) -> bytes | None:
    """The profile in the chunk iCCP, None if it is damaged. Raises ImageError for one too large."""
    packed = next(chunks(data, b"iCCP", longest=len(data)), (b"", b""))[1]
    _, _, rest = packed.partition(b"\0")  # its name
    if not rest.startswith(b"\0"):  # the only way of packing
        return None
    try:
        head = zlib.decompressobj().decompress(rest[1:], 40)
        size = int.from_bytes(head[:4], "big")
        if size > LARGEST_PROFILE and head[36:] == b"acsp":  # the mark of a profile
            raise ImageError("unsupported", f"a PNG whose colour profile has {size:,} bytes")
        return zlib.decompressobj().decompress(rest[1:], min(max(size, 1), LARGEST_PROFILE)) or None
    except zlib.error:
        return None


def chunks(
    data: bytes, wanted: bytes | None = None, longest: int = 32
) -> Iterator[tuple[bytes, bytes]]:
    """The name and contents of each undamaged chunk before the pixels with at most `longest` bytes. `wanted`
    is the name of the only ones to read."""
    for name, start, length in _places(data):
        if name == b"IDAT":
            return
        if length <= longest and wanted in (None, name) and _is_whole(name, data, start, length):
            yield name, data[start : start + length]


def exif_of(data: bytes) -> bytes | None:
    """The contents of the chunk eXIf, which may come after the pixels."""
    for name, start, length in _places(data):
        if name == b"eXIf":
            return data[start : start + length]
    return None


def _places(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, the place of its contents, and their length."""
    start, pixel_chunks, others = 8, 0, 0
    while start + 8 <= len(data) and others < MOST_CHUNKS and pixel_chunks < MOST_PIXEL_CHUNKS:
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, start + 8, length
        start += length + 12
        if name == b"IDAT":
            pixel_chunks += 1
        else:
            others += 1
