"""By what name a picture's vectors and thumbnails are stored: the hash of its file, and for pictures that
newer rules read otherwise, of these rules too.

Raise PIXEL_RULES where some files give other pixels than before, and say in `redefined` which. Those
get another hash, so nothing made of their former pixels is taken for theirs; all others keep what is
stored. Only headers are read here, in plain Python: files are untrusted.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from typing import Any

from simsearch.images import jpeg, jpeg2000, png, tiff
from simsearch.images.kinds import kind_of
from simsearch.images.limits import ImageError
from simsearch.images.profiles import is_srgb
from simsearch.images.scaling import NARROWEST

# 2: depths beyond 8 bits by their tags, every profile, PNG's colour chunks, long pictures.
PIXEL_RULES = 2

LARGEST_PROFILE = 16 * 2**20  # bytes; CMYK profiles have 2 MB
MOST_TAGS = 4096  # of a TIFF's directory
MOST_VALUES = 3 * 2**16  # of a TIFF's tag: the palette of 16 bits
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}
_TIFF_PROFILE = 34675
_TIFF_TAGS = {256, 257, 262, 277, _TIFF_PROFILE, *tiff.DECISIVE}
_GREY_MAP = re.compile(rb"P[25](?:(?:\s|#[^\r\n]*[\r\n])+(\d+)){3}\s")


def content_hash(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hex; for `redefined` pictures of the rules' version and them."""
    before = f"pixel rules {PIXEL_RULES}\n".encode() if redefined(data) else b""
    return hashlib.sha256(before + data).hexdigest()


def redefined(data: bytes) -> bool:
    """Whether a picture may have other pixels, or other copies, than under the rules before."""
    kind = kind_of(data)
    try:
        long, short = sorted(_size(data, kind), reverse=True)
        if short < long * NARROWEST:
            return True
        return _CHANGED.get(kind or "", lambda _: False)(data)
    except (struct.error, ValueError, KeyError, IndexError, TypeError, zlib.error, ImageError):
        return False  # no picture, or none that both rules read


def _size(data: bytes, kind: str | None) -> tuple[int, int]:
    """Width and height by the header; equal ones where they are not looked for."""
    if kind == "PNG":
        width, height = struct.unpack_from(">II", data, 16)
    elif kind == "JPEG":
        width, height, _ = jpeg.frame_of(data)
    elif kind == "TIFF":
        tags = _tiff_tags(data)
        width, height = int(tags[256]), int(tags[257])
    elif kind == "JPEG2000":
        width, height = jpeg2000.read_header(data).size
    elif kind == "GIF":
        width, height = struct.unpack_from("<HH", data, 6)
    elif kind == "BMP":
        width, height = struct.unpack_from("<ii", data, 18)
    elif kind == "WEBP" and data[12:16] == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == "WEBP" and data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == "WEBP":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif kind in ("AVIF", "HEIF"):
        width, height = struct.unpack_from(">II", data, data.index(b"ispe") + 8)
    else:
        width, height = 1, 1
    return width, abs(height)


def _changed_png(data: bytes) -> bool:
    bits, grey = png.bits_of(data), data[25] in (0, 4)
    chunks = dict(png.chunks(data, LARGEST_PROFILE))
    if bits == 16 or (grey and bits in (2, 4) and b"tRNS" in chunks) or b"cICP" in chunks:
        return True
    if b"iCCP" in chunks:
        packed = chunks[b"iCCP"].partition(b"\0")[2][1:]
        profile = zlib.decompressobj().decompress(packed, LARGEST_PROFILE)
        return _newly_applied(profile, grey=grey)
    return png.colour_profile(data, None) is not None


def _changed_jpeg(data: bytes) -> bool:
    profile = _embedded(data)
    return profile is not None and _newly_applied(profile, grey=jpeg.frame_of(data)[2] == 1)


def _changed_tiff(data: bytes) -> bool:
    tags = _tiff_tags(data)
    if not tiff.plain(tags):
        return True
    grey = int(tags.get(277, 1)) <= 2 and tags.get(262) in (0, 1)
    return _TIFF_PROFILE in tags and _newly_applied(tags[_TIFF_PROFILE], grey=grey)


def _changed_jpeg2000(data: bytes) -> bool:
    header = jpeg2000.read_header(data)
    return not header.plain or header.profile is not None


def _changed_map(data: bytes) -> bool:
    match = _GREY_MAP.match(data[:4096])
    return data[:2] == b"Pf" or (data[:2] in (b"P2", b"P5") and (not match or int(match[1]) > 255))


def _changed_by_profile(data: bytes) -> bool:
    profile = _embedded(data)
    return profile is not None and _newly_applied(profile, grey=False)


_CHANGED = {
    "PNG": _changed_png,
    "JPEG": _changed_jpeg,
    "TIFF": _changed_tiff,
    "JPEG2000": _changed_jpeg2000,
    "PPM": _changed_map,
    "WEBP": _changed_by_profile,
    "AVIF": _changed_by_profile,
    "HEIF": _changed_by_profile,
}


def _newly_applied(profile: bytes, *, grey: bool) -> bool:
    """Whether a profile was skipped before and is applied now, or the other way round: skipped were all
    that call themselves sRGB, and those of other channels than the picture has."""
    called_srgb = any(name in profile for name in (b"sRGB", "sRGB".encode("utf-16-be")))
    if called_srgb == is_srgb(profile):
        return not called_srgb and (grey or profile[16:20] == b"GRAY")
    return True


def _embedded(data: bytes) -> bytes | None:
    """The ICC profile in a file that does not compress it, found by its signature."""
    place = data.find(b"acsp")
    if place < 36:
        return None
    return data[place - 36 : place - 36 + int.from_bytes(data[place - 36 : place - 32], "big")]


def _tiff_tags(data: bytes) -> dict[int, Any]:
    """The tags of a TIFF's first page that decide its size and its pixels: numbers, and the profile."""
    order, big = ("<" if data[:2] == b"II" else ">"), data[2:4] in (b"+\0", b"\0+")
    head, entry, width = ("Q", "HHQ", 8) if big else ("I", "HHI", 4)
    (place,) = struct.unpack_from(order + head, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
    place += 8 if big else 2
    entries: dict[
        int, tuple[str, int, int]
    ] = {}  # of a repeated tag the last one, as Pillow has it
    step = struct.calcsize(order + entry) + width
    for number in range(min(count, MOST_TAGS)):
        at = place + number * step
        tag, kind, values = struct.unpack_from(order + entry, data, at)
        letter = _TIFF_TYPES.get(kind)
        if letter is not None and tag in _TIFF_TAGS:
            entries[tag] = letter, values, at + step - width
    tags: dict[int, Any] = {}
    for tag, (letter, values, at) in entries.items():
        if values * struct.calcsize(letter) > width:
            (at,) = struct.unpack_from(order + head, data, at)
        if tag == _TIFF_PROFILE:
            tags[tag] = data[at : at + min(values, LARGEST_PROFILE)]
            continue
        read = struct.unpack_from(f"{order}{min(values, MOST_VALUES)}{letter}", data, at)
        tags[tag] = read if len(read) != 1 else read[0]
    return tags
