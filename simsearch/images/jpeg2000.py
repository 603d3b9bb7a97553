"""JPEG 2000: the content of its boxes, and pictures of other depths than 8 bits by imagecodecs."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simsearch.images.boxes import boxes
from simsearch.images.jpeg2000_palette import palette_of
from simsearch.images.limits import ImageError
from simsearch.images.samples import Deep, Samples, Space

CODESTREAM, _END = b"\xff\x4f\xff\x51", b"\xff\xd9"
# Enumerated colour spaces, ISO/IEC 15444-1 and -2.
CMYK, CIELAB, SRGB, GREY, SYCC = 12, 14, 16, 17, 18
MOST_BITS = 26  # that OpenJPEG decodes rightly
OPACITY, PREMULTIPLIED = 1, 2  # channel types of a `cdef` box


@dataclass(frozen=True)
class Header:
    """`bits` and `signed` are those of each band. `profile` is an ICC profile, `enumerated` the number of
    a colour space. `channels` has each channel's number, type and association: 0 with the whole picture,
    1 with the first colour and so on. `palette` and `mapping` are the contents of the boxes `pclr` and
    `cmap`. The pixels begin at `codestream`."""

    size: tuple[int, int]
    bits: tuple[int, ...]
    signed: tuple[bool, ...]
    uniform: bool  # whether all bands have the same size
    profile: bytes | None = None
    enumerated: int | None = None
    channels: tuple[tuple[int, int, int], ...] = ()
    palette: bytes = b""
    mapping: bytes = b""
    codestream: int = 0

    @property
    def plain(self) -> bool:
        """Whether Pillow reads it rightly."""
        common = self.enumerated in (None, CMYK, SRGB, GREY, SYCC)
        flat = set(self.bits) == {8} and not any(self.signed)
        return flat and common and not self.palette and not self.rearranged

    @property
    def rearranged(self) -> bool:
        """Whether a `cdef` box gives another order than the colours in turn and transparency last."""
        count = len(self.channels)
        in_order = tuple((n, 0, n + 1) for n in range(count))
        opacity = ((count - 1, OPACITY, 0),)
        return tuple(sorted(self.channels)) not in (in_order, in_order[:-1] + opacity)

    @property
    def premultiplied(self) -> bool:
        return any(kind == PREMULTIPLIED for _, kind, _ in self.channels)


def read_header(data: bytes) -> Header:
    """Raises ImageError."""
    try:
        if data.startswith(CODESTREAM):
            return _codestream(data)
        parts = dict(boxes(data, 0, len(data)))
        start, _ = parts[b"jp2c"]
        header = replace(_codestream(data[start : start + 65536]), codestream=start)
        inside = list(boxes(data, *parts[b"jp2h"]))
    except (KeyError, struct.error):
        raise ImageError("broken", "a JPEG 2000 whose header cannot be read") from None
    for name, (start, end) in inside:
        body = data[start:end]
        if name == b"colr" and header.profile is None and header.enumerated is None:
            if body[0] in (2, 3):
                header = replace(header, profile=body[3:])
            elif body[0] == 1:
                header = replace(header, enumerated=int.from_bytes(body[3:7], "big"))
        elif name == b"cdef":
            count = min(int.from_bytes(body[:2], "big"), (len(body) - 2) // 6)
            entries = struct.iter_unpack(">HHH", body[2 : 2 + 6 * count])
            header = replace(header, channels=tuple(entries))
        elif name == b"pclr":
            header = replace(header, palette=body)
        elif name == b"cmap":
            header = replace(header, mapping=body)
    return header


def _codestream(data: bytes) -> Header:
    right, bottom, left, top = struct.unpack_from(">4I", data, 8)
    (count,) = struct.unpack_from(">H", data, 40)
    bands = [struct.unpack_from(">3B", data, 42 + 3 * number) for number in range(count)]
    return Header(
        size=(right - left, bottom - top),
        bits=tuple((depth & 0x7F) + 1 for depth, _, _ in bands),
        signed=tuple(bool(depth & 0x80) for depth, _, _ in bands),
        uniform=len({(across, down) for _, across, down in bands}) <= 1,
    )


def has_end(data: bytes, start: int, stop: int) -> bool:
    """Whether a codestream has the marker of its end, which cannot occur within it. OpenJPEG fills up the
    picture of a file that is cut and filled up with zeros."""
    return data.find(_END, start, stop) >= 0


def open_jpeg2000(data: bytes, header: Header) -> Deep:
    """A picture that Pillow reads wrongly. Raises ImageError."""
    stored = header.codestream
    palette = palette_of(header.palette, header.mapping, header.bits) if header.palette else None
    if palette is not None:
        header = replace(header, bits=palette.bits, signed=(False,) * len(palette.bits))
    space = _space(header)
    channels = {"gray": 1, "rgb": 3, "cmyk": 4}[space]
    if len(set(header.bits[:channels])) > 1 or len(set(header.signed[:channels])) > 1:
        raise ImageError("unsupported", f"a JPEG 2000 whose bands have {header.bits} bits")

    def read() -> Samples:
        import imagecodecs

        if not has_end(data, stored, len(data)):
            raise ImageError("broken", "image file is truncated")
        # The codestream alone: with the boxes OpenJPEG would apply the profile, in 8 bits or wrongly.
        bands: Any = np.atleast_3d(imagecodecs.jpeg2k_decode(data[stored:]))
        if palette is not None:
            bands = palette.colours(bands)
        alpha = _alpha_place(header, channels)
        colours = bands[:, :, _colour_places(header, channels)]
        if header.enumerated == SYCC and channels == 3:
            colours = _from_ycc(colours, header.bits[0])
        return Samples(
            colours=colours,
            space=space,
            bits=header.bits[0],
            alpha=None if alpha is None else bands[:, :, alpha],
            alpha_bits=None if alpha is None else header.bits[alpha],
            premultiplied=header.premultiplied,
            signed=header.signed[0],
        )

    return Deep(header.size, read, header.profile)


def _space(header: Header) -> Space:
    """The colour space of the channels. Raises ImageError for one that cannot be read."""
    count = len(header.bits)
    beyond = sum(kind != 0 for _, kind, _ in header.channels)  # channels that are no colours
    cmyk = header.enumerated == CMYK or (header.profile or b"")[16:20] == b"CMYK"
    spaces: dict[int, Space] = {1: "gray", 2: "gray", 3: "rgb", 4: "rgb", 5: "cmyk"}
    if header.channels and count - beyond in (1, 3):
        spaces[count] = "gray" if count - beyond == 1 else "rgb"
    space: Space | None = "cmyk" if cmyk and count in (4, 5) else spaces.get(count)
    words = None
    if space is None or (count == 5 and space == "cmyk" and not cmyk):
        words = f"with {count} bands"
    elif header.enumerated == CIELAB:
        words = "in CIELAB"
    elif header.enumerated not in (None, CMYK, SRGB, GREY, SYCC):
        words = f"in colour space {header.enumerated}"
    elif not header.uniform:
        words = f"whose bands of {max(header.bits)} bits differ in size"
    elif max(header.bits) > MOST_BITS:
        words = f"of {max(header.bits)} bits"
    if words is not None or space is None:
        raise ImageError("unsupported", f"a JPEG 2000 {words}")
    return space


def _alpha_place(header: Header, colours: int) -> int | None:
    """The band of transparency, None without. As in Pillow, a band beyond the colours that the file does
    not describe is transparency."""
    for number, kind, _ in header.channels:
        if kind in (OPACITY, PREMULTIPLIED):
            return number
    return colours if len(header.bits) > colours and not header.channels else None


def _colour_places(header: Header, colours: int) -> list[int]:
    """The bands of the first colour, the second and so on."""
    places = list(range(colours))
    for number, kind, colour in header.channels:
        if kind == 0 and 1 <= colour <= colours:
            places[colour - 1] = number
    return places


def _from_ycc(bands: Any, bits: int) -> Any:
    """RGB of YCbCr as JPEG has it (ITU-T T.871), in the same range."""
    most, half = (1 << bits) - 1, 1 << (bits - 1)
    luma = bands[:, :, 0].astype(np.float64)
    blue, red = (bands[:, :, place].astype(np.float64) - half for place in (1, 2))
    green = luma - 0.344136 * blue - 0.714136 * red
    rgb = np.stack([luma + 1.402 * red, green, luma + 1.772 * blue], axis=2)
    return np.clip(np.rint(rgb), 0, most).astype(bands.dtype)
