"""BMP with any masks, and GIF whose first frame is smaller than its screen."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from tests.images.test_colour_spaces import profile, srgb_of

COLOURS = np.array(
    [[200, 40, 20, 255], [10, 200, 60, 128], [0, 0, 0, 255]]
)  # a row of three pixels
BACKGROUND = 128
# Red, green, blue and transparency, and the bytes of the header.
MASKS = {
    "5:6:5": (16, (0xF800, 0x7E0, 0x1F, 0), 40),
    "4:4:4:4": (16, (0xF00, 0xF0, 0xF, 0xF000), 108),
    "10:10:10": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0), 40),
    "10:10:10:2": (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000), 124),
    "11:11:10": (32, (0xFFE00000, 0x1FFC00, 0x3FF, 0), 40),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000, 0), 40),
    "RGBA": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF), 108),
}


def bmp(
    bits: int,
    masks: tuple[int, ...],
    length: int,
    colours: npt.NDArray[Any],
    *,
    downwards: bool = False,
) -> bytes:
    """A BMP of two rows, that of `colours` below one of black."""
    pixels = np.zeros((2, len(colours)), np.uint64)
    for channel, mask in enumerate(masks):
        most = mask // (mask & -mask) if mask else 0
        levels = np.rint(colours[:, channel] / 255 * most).astype(np.uint64)
        pixels[1] |= levels * np.uint64(mask & -mask)
    rows = pixels if downwards else pixels[::-1]
    lines = [row.astype(f"<u{bits // 8}").tobytes() for row in rows]
    body = b"".join(line + bytes(-len(line) % 4) for line in lines)
    height = -2 if downwards else 2
    size = len(colours), height, 1, bits, 3, len(body), 2835, 2835, 0, 0
    named = struct.pack("<4I", *masks)
    header = struct.pack("<IiiHHIIiiII", length, *size)
    header = header + named[:12] if length == 40 else (header + named).ljust(length, b"\0")
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + body


def pixels_of(data: bytes) -> npt.NDArray[Any]:
    image = decode(data, max_pixels=10**6, max_bytes=10**6, background="#808080")
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("downwards", [False, True])
def test_a_bmp_of_any_masks(name: str, downwards: bool) -> None:
    bits, masks, length = MASKS[name]
    widths = [mask.bit_count() for mask in masks]
    levels = [np.maximum((1 << width) - 1, 1) for width in widths]
    stored = np.rint(COLOURS / 255 * levels) / levels * 255  # as far as the bits reach
    share = stored[:, 3:] / 255 if masks[3] else np.ones((3, 1))
    expected = stored[:, :3] * share + BACKGROUND * (1 - share)
    pixels = pixels_of(bmp(bits, masks, length, COLOURS, downwards=downwards))
    assert np.abs(pixels[1] - expected).max() <= 1


def test_a_profile_within_a_bmp_holds() -> None:
    """With masks and, as Pillow reads it, without."""
    masks, length = (0xFF0000, 0xFF00, 0xFF, 0), 124
    expected = srgb_of(COLOURS[:, :3] / 255)
    icc = profile("RGB ")
    for way in (0, 3):
        data = bytearray(bmp(32, masks, length, COLOURS) + icc)
        struct.pack_into("<I", data, 30, way)
        data[70:74] = b"DEBM"
        struct.pack_into("<II", data, 14 + 112, len(data) - len(icc) - 14, len(icc))
        np.testing.assert_allclose(pixels_of(bytes(data))[1], expected, atol=1.2)
        data[70:74] = b"BGRs"  # sRGB: the place of a profile does not count
        np.testing.assert_array_equal(pixels_of(bytes(data))[1], COLOURS[:, :3])


def test_a_bmp_whose_transparency_is_0_everywhere_is_opaque() -> None:
    colours = COLOURS * [1, 1, 1, 0]
    assert pixels_of(bmp(*MASKS["RGBA"], colours))[1].tolist() == COLOURS[:, :3].tolist()


@pytest.mark.parametrize("masks", [(0, 0, 0, 0), (0xFF00FF, 0xFF00, 0xFF, 0)])
def test_masks_that_name_no_channel_are_broken(masks: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="masks"):
        pixels_of(bmp(32, masks, 40, COLOURS))


@pytest.mark.parametrize("transparent", [False, True])
def test_around_a_small_first_frame_a_gif_is_transparent(transparent: bool) -> None:
    frame = Image.new("P", (20, 15), 1)
    frame.putpalette([255, 0, 0, 0, 255, 0])
    buffer = io.BytesIO()
    frame.save(buffer, "GIF", optimize=False, **({"transparency": 0} if transparent else {}))
    data = bytearray(buffer.getvalue())
    data[6:10] = struct.pack("<HH", 40, 30)  # the screen
    descriptor = data.index(struct.pack("<BHHHH", 0x2C, 0, 0, 20, 15))
    data[descriptor + 1 : descriptor + 5] = struct.pack("<HH", 5, 6)  # the frame's place
    expected = np.full((30, 40, 3), BACKGROUND)
    expected[6:21, 5:25] = [0, 255, 0]
    assert np.array_equal(pixels_of(bytes(data)), expected)
