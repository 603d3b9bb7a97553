"""The pixels of a TIFF page, even if a strip holds more bytes than its rows take.

Some writers pad the last strip to the full rows per strip. libtiff reads as many bytes as the rows
take. The decoders of imagecodecs for Deflate, Zstandard and PackBits refuse a longer strip.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError

Expand = Callable[[bytes, int], bytes]  # (packed bytes, number of wanted bytes) → unpacked bytes
_LSB_FIRST = 2  # of the tag FillOrder


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
