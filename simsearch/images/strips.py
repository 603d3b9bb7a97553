"""The pixels of a TIFF page, even if a strip holds more bytes than its rows take. Whether all are there.

Some writers pad the last strip to the full rows per strip. libtiff reads as many bytes as the rows
take. The decoders of imagecodecs for Deflate, Zstandard and PackBits refuse a longer strip.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError

Expand = Callable[[bytes, int], bytes]  # (packed bytes, number of wanted bytes) → unpacked bytes
_LSB_FIRST, _SEPARATE = 2, 2  # of the tags FillOrder and PlanarConfiguration
# TIFF 6.0, by tag.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES = 256, 257, 258, 259, 277, 284
_STRIPS, _ROWS_PER_STRIP, _STRIP_LENGTHS = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS = 322, 323, 324, 325


def page_pixels(data: bytes, page: Any) -> npt.NDArray[Any]:
    """The samples of a page of the TIFF `data`, in any shape that fits the page's `shaped`. Raises the
    errors of tifffile."""
    import imagecodecs

    too_long = (imagecodecs.DeflateError, imagecodecs.ZstdError, imagecodecs.PackbitsError)
    try:
        return np.asarray(page.asarray(maxworkers=1))
    except too_long as error:
        expand = _EXPANDERS.get(int(page.compression))
        if expand is None:
            raise
        try:
            return _cut_to_rows(data, page.treeindex, expand)
        except (zlib.error, OSError):
            raise error from None


def names_all_parts(tags: Mapping[int, Any]) -> bool:
    """Whether a page names as many strips or tiles as its size takes."""
    return len(numbers_of(tags.get(_TILES if _TILE_WIDTH in tags else _STRIPS, ()))) >= _parts(tags)


def refuse_absent_parts(tags: Mapping[int, Any]) -> None:
    """Raise ImageError for a page of which strips or tiles are absent or empty. Decoders would show black in
    their place."""
    tiled = _TILE_WIDTH in tags
    lengths = numbers_of(tags.get(_TILE_LENGTHS if tiled else _STRIP_LENGTHS, ()))
    whole = all(lengths[: _parts(tags)])
    if not names_all_parts(tags):
        # Some writers state fewer rows per strip than they write. Without compression that is harmless.
        bits = _number(tags, _WIDTH, 0) * _number(tags, _SAMPLES, 1) * _number(tags, _BITS, 1)
        needed = -(-bits // 8) * _number(tags, _HEIGHT, 0)
        whole = not tiled and _number(tags, _COMPRESSION, 1) == 1 and sum(lengths) >= needed
    if not whole:
        raise ImageError("broken", "a TIFF of which a part is absent")


def _parts(tags: Mapping[int, Any]) -> int:
    width, height = _number(tags, _WIDTH, 0), _number(tags, _HEIGHT, 0)
    across, down = width, _number(tags, _ROWS_PER_STRIP, height)
    if _TILE_WIDTH in tags:
        across, down = _number(tags, _TILE_WIDTH, 1), _number(tags, _TILE_HEIGHT, 1)
    planes = _number(tags, _SAMPLES, 1) if _number(tags, _PLANES, 1) == _SEPARATE else 1
    return planes * -(-width // max(across, 1)) * -(-height // max(down, 1))


def _number(tags: Mapping[int, Any], tag: int, absent: int) -> int:
    return int((*numbers_of(tags.get(tag, absent)), absent)[0])


def numbers_of(value: Any) -> tuple[Any, ...]:
    """A tag's numbers, of which one alone is no tuple."""
    return tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,)


def _cut_to_rows(data: bytes, place: tuple[int, ...], expand: Expand) -> npt.NDArray[Any]:
    """The samples of a page, with each strip cut to the bytes that its rows take. `place` is the number of
    the page and, for a directory below it, the number among those."""
    import imagecodecs
    import tifffile

    page: Any = tifffile.TiffFile(io.BytesIO(data)).pages[place[0]]  # it has decoded nothing yet
    for number in place[1:]:
        page = page.pages[number]
    reverse: Any = imagecodecs.bitorder_decode if page.fillorder == _LSB_FIRST else bytes
    page.compression, page.fillorder = tifffile.COMPRESSION.NONE, 1
    pixels = np.zeros(page.shaped, page.dtype)
    places = zip(page.dataoffsets, page.databytecounts, strict=True)
    for segment, (start, length) in enumerate(places):
        _, (band, depth, top, left, _), shape = page.decode(None, segment)
        _, rows, width, samples = shape
        wanted = rows * (-(-width * samples * page.bitspersample // 8))
        unpacked = expand(reverse(data[start : start + length]), wanted)
        if len(unpacked) < wanted:
            raise ImageError("broken", "image file is truncated")
        strip, _, _ = page.decode(unpacked, segment)
        room = pixels[band, depth, top : top + rows, left : left + width]
        room[...] = strip[0, : room.shape[0], : room.shape[1]]
    return pixels


def _inflate(packed: bytes, wanted: int) -> bytes:
    return zlib.decompressobj().decompress(packed, wanted)


def _unpack_zstandard(packed: bytes, wanted: int) -> bytes:
    import pyarrow

    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        return bytes(stream.read(wanted))


def _unpack_bits(packed: bytes, wanted: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.packbits_decode(packed)[:wanted])  # at most 64 times as long as packed


_EXPANDERS: dict[int, Expand] = {
    8: _inflate,
    32946: _inflate,
    50000: _unpack_zstandard,
    34926: _unpack_zstandard,  # its number before 50000
    32773: _unpack_bits,
}
