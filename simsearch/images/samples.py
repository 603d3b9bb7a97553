"""Pictures of other depths than 8 bits: their samples, scaled as their file describes them.

Integers of n bits reach from 0 to 2ⁿ − 1. Floating-point numbers reach from 0 to 1, and values beyond
are clipped. No file format states another range, and a range taken from the values would change with one
bright pixel. A picture with most values above 1 is therefore refused: its range would be a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from simsearch.images.limits import ImageError
from simsearch.images.orientation import UPRIGHT, turned
from simsearch.images.profiles import cielab, is_srgb, samples_to_srgb
from simsearch.images.scaling import FILTER, REDUCING_GAP

Space = Literal["gray", "rgb", "cmyk", "lab"]
Samples16 = npt.NDArray[np.uint16]

CHANNELS: dict[Space, int] = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}
FULL = 65535
BAND_PIXELS = 2**20  # converted at a time; 32 MB of working memory at most


@dataclass(frozen=True)
class Samples:
    """A picture's samples: `colours` [h, w, channels] in `space` and `alpha` [h, w].

    `bits` None: floating point. `inverted`: 0 is white. `premultiplied`: the colours are multiplied
    by alpha. `signed`: the integers lie about 0. "lab" is 16 bits in the encoding of ICC.1:2010.
    """

    colours: npt.NDArray[Any]
    space: Space
    bits: int | None
    alpha: npt.NDArray[Any] | None = None
    alpha_bits: int | None = None  # None: as `bits`
    inverted: bool = False
    premultiplied: bool = False
    signed: bool = False


@dataclass(frozen=True)
class Deep:
    """A picture that `read` decodes to samples. Its stored size, EXIF orientation and profile are known
    before."""

    size: tuple[int, int]
    read: Callable[[], Samples]
    profile: bytes | None = None
    orientation: int = UPRIGHT

    def picture(self, size: tuple[int, int]) -> Image.Image:
        """The upright picture in sRGB: RGB, or RGBA if it has transparency. An opaque picture that is more
        than four times as large is scaled to `size`, which is that of the stored orientation."""
        return turned(_picture(self.read(), self.profile, size), self.orientation)


def _picture(samples: Samples, profile: bytes | None, size: tuple[int, int]) -> Image.Image:
    height, width = samples.colours.shape[:2]
    factors = 1, 1
    if samples.alpha is None:
        factors = _factor(width, size[0]), _factor(height, size[1])
    across, down = factors
    _refuse_other_ranges(samples)
    mode = "RGB" if samples.alpha is None else "RGBA"
    image = Image.new(mode, (-(-width // across), -(-height // down)))
    rows = max(1, BAND_PIXELS // width // down) * down
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        colours = _fill_range(samples.colours[band], samples.bits, samples.signed)
        if samples.inverted:
            colours = FULL - colours
        alpha = None
        if samples.alpha is not None:
            alpha = _fill_range(samples.alpha[band], samples.alpha_bits or samples.bits, False)
            if samples.premultiplied:
                colours = _divide_by_alpha(colours, alpha)
        rgb = _to_srgb(_average(colours, factors), samples.space, profile)
        if alpha is not None:
            rgb = np.dstack([rgb, _to_8_bits(alpha)])
        image.paste(Image.fromarray(rgb, mode), (0, top // down))
    if factors == (1, 1):
        return image
    # The last blocks of a row or column may be cut by the edge, so that the picture ends within them.
    return image.resize(size, FILTER, box=(0, 0, width / across, height / down))


def _factor(length: int, wanted: int) -> int:
    """The factor by which Pillow's `resize` first averages whole pixels."""
    return max(1, int(length / wanted / REDUCING_GAP))


def _refuse_other_ranges(samples: Samples) -> None:
    if samples.bits is not None:
        return
    if samples.alpha is not None and any(np.isnan(row).any() for row in samples.alpha):
        raise ImageError("broken", "pixels whose transparency is no number")
    lit = above = 0
    for row in samples.colours:
        if np.isnan(row).any():
            raise ImageError("broken", "pixels that are no numbers")
        lit += int((row > 0).sum())
        above += int((row > 1).sum())
    if above * 2 > lit:
        raise ImageError(
            "unsupported",
            "a floating-point picture most of whose values lie above 1, so that its range is not "
            "known; scale it to 0 to 1",
        )


def _fill_range(values: npt.NDArray[Any], bits: int | None, signed: bool) -> Samples16:
    """Samples scaled so that their whole range is that of 16 bits."""
    if bits is None:
        clipped = np.clip(values, 0, 1, dtype=values.dtype)
        return np.asarray(np.rint(clipped.astype(np.float64) * FULL), dtype=np.uint16)
    if signed:
        values = values.astype(np.int64) + (1 << (bits - 1))
    if bits > 16:
        return (values >> (bits - 16)).astype(np.uint16)
    if bits == 16:
        return values.astype(np.uint16, copy=False)
    most = (1 << bits) - 1
    table = (np.arange(most + 1) * (2 * FULL) // most + 1) // 2
    return np.asarray(table.astype(np.uint16)[np.minimum(values, most)])


def _divide_by_alpha(colours: Samples16, alpha: Samples16) -> Samples16:
    whole = np.maximum(alpha, 1)[:, :, None].astype(np.float64)
    return np.asarray(np.minimum(np.rint(colours * (FULL / whole)), FULL).astype(np.uint16))


def _average(colours: Samples16, factors: tuple[int, int]) -> Samples16:
    """The mean of each block of pixels, also of blocks that an edge cuts."""
    if factors == (1, 1):
        return colours
    sums, counts = colours.astype(np.float32), []
    for axis, factor in enumerate(reversed(factors)):
        starts = np.arange(0, colours.shape[axis], factor)
        sums = np.add.reduceat(sums, starts, axis=axis)
        counts.append(np.diff(np.append(starts, colours.shape[axis])))
    means = sums / (counts[0][:, None] * counts[1][None, :])[:, :, None]
    return np.asarray(np.rint(means).astype(np.uint16))


def _to_8_bits(values: Samples16) -> npt.NDArray[np.uint8]:
    return ((values.astype(np.uint32) * 255 + FULL // 2) // FULL).astype(np.uint8)


def _to_srgb(colours: Samples16, space: Space, profile: bytes | None) -> npt.NDArray[np.uint8]:
    if space == "lab":
        profile = cielab()
    if profile and not is_srgb(profile):
        if space == "gray" and profile[16:20] == b"RGB ":
            colours, space = np.repeat(colours, 3, axis=2), "rgb"
        converted = samples_to_srgb(colours, space, profile)
        if converted is not None:
            return converted
    if space == "cmyk":  # as in Pillow: each ink takes its share of the light that black leaves
        paper = FULL - colours.astype(np.float64)
        colours = np.rint(paper[:, :, :3] * paper[:, :, 3:] / FULL).astype(np.uint16)
    eight = _to_8_bits(colours)
    return np.repeat(eight, 3, axis=2) if space == "gray" else eight
