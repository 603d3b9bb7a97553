"""JPEG 2000 whose boxes say which channel is which, and pictures by a palette."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError

COLOURS = np.array([[200, 40, 20], [10, 200, 60], [0, 0, 0], [255, 255, 255]])
ALPHA = np.array([255, 128, 0, 255])
INDICES = np.kron([[0, 1], [2, 3]], np.ones((20, 20))).astype(np.uint8)
CENTRES = ((5, 5), (5, 35), (35, 5), (35, 35))
BACKGROUND = 128


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def jp2(bands: npt.NDArray[np.uint8], *boxes: bytes, bits: int = 8, space: int = 16) -> bytes:
    """A file of these bands, each as it is, and of further boxes in its header."""
    stream = imagecodecs.jpeg2k_encode(
        bands, level=0, codecformat="j2k", mct=False, bitspersample=bits
    )
    height, width = bands.shape[:2]
    count = bands.shape[2] if bands.ndim == 3 else 1
    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, count, bits - 1, 7, 0, 0))
    header += box(b"colr", struct.pack(">BBBI", 1, 0, 0, space)) + b"".join(boxes)
    mark = b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return mark + box(b"jp2h", header) + box(b"jp2c", bytes(stream))


def definitions(*channels: tuple[int, int, int]) -> bytes:
    packed = [struct.pack(">HHH", *channel) for channel in channels]
    return box(b"cdef", struct.pack(">H", len(packed)) + b"".join(packed))


def palette(entries: npt.NDArray[np.int64], bits: int = 8) -> bytes:
    kind = ">u1" if bits == 8 else ">u2"
    table = (entries * (((1 << bits) - 1) // 255)).astype(kind).tobytes()
    depths = bytes([bits - 1]) * entries.shape[1]
    return box(b"pclr", struct.pack(">HB", *entries.shape) + depths + table)


def mapping(*columns: int) -> bytes:
    return box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, column) for column in columns))


def pixels_of(data: bytes) -> list[list[int]]:
    image = decode(data, max_pixels=10**6, max_bytes=10**6, background="#808080")
    pixels = np.asarray(image)
    return [pixels[place].tolist() for place in CENTRES]


def blended() -> list[list[int]]:
    share = ALPHA[:, None] / 255
    return np.rint(COLOURS * share + BACKGROUND * (1 - share)).astype(int).tolist()  # type: ignore[no-any-return]


def test_channels_are_those_that_the_file_defines() -> None:
    picture = COLOURS.astype(np.uint8)[INDICES]
    alpha = ALPHA.astype(np.uint8)[INDICES][:, :, None]
    backwards = definitions((0, 0, 3), (1, 0, 2), (2, 0, 1))
    assert pixels_of(jp2(picture[:, :, ::-1].copy(), backwards)) == COLOURS.tolist()
    first = definitions((0, 1, 0), (1, 0, 1), (2, 0, 2), (3, 0, 3))
    assert pixels_of(jp2(np.dstack([alpha, picture]), first)) == blended()
    unspecified = definitions((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 65535, 65535))
    assert pixels_of(jp2(np.dstack([picture, alpha]), unspecified)) == COLOURS.tolist()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("index_bits", [4, 8])
def test_a_palette_gives_its_colours(bits: int, index_bits: int) -> None:
    boxes = palette(COLOURS, bits), mapping(0, 1, 2)
    assert pixels_of(jp2(INDICES, *boxes, bits=index_bits)) == COLOURS.tolist()


def test_a_palette_may_be_grey_turned_round_or_transparent() -> None:
    greys = np.array([[0], [64], [128], [255]])
    shown = pixels_of(jp2(INDICES, palette(greys), mapping(0), space=17))
    assert shown == np.repeat(greys, 3, axis=1).tolist()
    turned = pixels_of(jp2(INDICES, palette(COLOURS), mapping(2, 1, 0)))
    assert turned == COLOURS[:, ::-1].tolist()
    boxes = palette(np.column_stack([COLOURS, ALPHA])), mapping(0, 1, 2, 3)
    kinds = definitions((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 1, 0))
    assert pixels_of(jp2(INDICES, *boxes, kinds)) == blended()


def test_a_palette_that_is_cut_short_is_broken() -> None:
    short = palette(COLOURS)[8:20]
    with pytest.raises(ImageError, match="palette cannot be read"):
        pixels_of(jp2(INDICES, box(b"pclr", short), mapping(0, 1, 2)))
