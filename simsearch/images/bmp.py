"""BMP whose channels lie in bits that the file names (masks). Pillow reads only a few common masks."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError
from simsearch.images.samples import FULL, Deep, Samples

_FIELDS, _FIELDS_AND_ALPHA = 3, 6  # ways of compression
_WITHOUT_ALPHA = 52  # bytes of a header up to its three masks
_FILE_HEADER, _WITH_PROFILE = 14, 124  # bytes
_EMBEDDED = b"DEBM"  # "MBED", the last byte first


@dataclass(frozen=True)
class _Header:
    """`masks` are those of red, green, blue and transparency (0: none)."""

    size: tuple[int, int]
    bits: int
    masks: tuple[int, int, int, int]
    start: int  # of the pixels
    downwards: bool


def open_bmp(data: bytes) -> Deep | None:
    """A BMP with masks. None for other files. Raises ImageError."""
    try:
        header = _header(data)
    except struct.error:
        raise ImageError("broken", "a BMP whose header cannot be read") from None
    if header is None:
        return None
    if not any(header.masks[:3]) or any(_is_split(mask) for mask in header.masks):
        raise ImageError("broken", "a BMP whose masks cannot be read")
    return Deep(header.size, lambda: _samples(data, header), embedded_profile(data))


def embedded_profile(data: bytes) -> bytes | None:
    """The ICC profile within a BMP of version 5. Pillow does not read it."""
    header = data[_FILE_HEADER : _FILE_HEADER + _WITH_PROFILE]
    if len(header) < _WITH_PROFILE or int.from_bytes(header[:4], "little") < _WITH_PROFILE:
        return None
    if header[56:60] != _EMBEDDED:
        return None
    start, length = struct.unpack_from("<II", header, 112)
    return data[_FILE_HEADER + start : _FILE_HEADER + start + length] or None


def _header(data: bytes) -> _Header | None:
    start, length, width, height, _, bits, way = struct.unpack_from("<IIiiHHI", data, 10)
    if length < 40 or bits not in (16, 32) or way not in (_FIELDS, _FIELDS_AND_ALPHA):
        return None
    red, green, blue = struct.unpack_from("<III", data, 54)  # within the header or right behind it
    has_alpha = way == _FIELDS_AND_ALPHA or length > _WITHOUT_ALPHA
    (alpha,) = struct.unpack_from("<I", data, 66) if has_alpha else (0,)
    return _Header((width, abs(height)), bits, (red, green, blue, alpha), start, height < 0)


def _is_split(mask: int) -> bool:
    """Whether the ones of a mask do not lie side by side."""
    lowest = mask & -mask
    return bool(mask & (mask + lowest))


def _samples(data: bytes, header: _Header) -> Samples:
    width, height = header.size
    line = (width * header.bits // 8 + 3) // 4 * 4
    if len(data) < header.start + line * height:
        raise ImageError("broken", "image file is truncated")
    lines = np.frombuffer(data, np.uint8, line * height, header.start).reshape(height, line)
    if not header.downwards:
        lines = lines[::-1]
    kind = "<u2" if header.bits == 16 else "<u4"
    pixels = np.ascontiguousarray(lines[:, : width * header.bits // 8]).view(kind)
    red, green, blue, alpha = (_channel(pixels, mask) for mask in header.masks)
    # Programs without transparency leave its bits at 0. Such a picture is opaque, as in browsers.
    transparent = bool(header.masks[3]) and bool(alpha.any())
    return Samples(
        colours=np.stack([red, green, blue], axis=2),
        space="rgb",
        bits=16,
        alpha=alpha if transparent else None,
    )


def _channel(pixels: npt.NDArray[np.generic], mask: int) -> npt.NDArray[np.uint16]:
    """A channel's values over the whole range of 16 bits. Zeros for a channel without a mask."""
    if not mask:
        return np.zeros(pixels.shape, np.uint16)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = (pixels.astype(np.uint64) & np.uint64(mask)) >> np.uint64(shift)
    return np.asarray(
        (values * np.uint64(FULL) + np.uint64(most // 2)) // np.uint64(most), np.uint16
    )
