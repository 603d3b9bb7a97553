"""The size at which a picture is used: no larger than needed, decided by its own size alone."""

from __future__ import annotations

from PIL import Image

# A long picture's short side stays at least this share of the limit: a hanging scroll of 1,024 × 100
# pixels would have to be enlarged for every network.
NARROWEST = 1 / 4
# And its long side is at most that many times the limit: turned by 60 degrees, a strip of 8,192 × 256
# pixels fills 29 million, one of 66,000 × 256 some 2,000 million. From 32:1 on, the short side gives way.
LONGEST = 8

FILTER = Image.Resampling.BICUBIC
REDUCING_GAP = 2.0  # averages whole pixels first, to twice the size; then the filter

# Scaling mixes neighbouring values: right where those are colours, wrong for numbers of a palette.
# Colours are converted afterwards, of fewer pixels.
SCALABLE = ("L", "LA", "RGB", "RGBA", "CMYK")


def used_size(width: int, height: int, side: int | None) -> tuple[int, int]:
    """The size at which a picture of that size is used: its longer side at most `side` pixels, but
    its shorter one at least a quarter of it, unless the longer one would pass LONGEST times `side`.
    None and small pictures: its own size."""
    if side is None:
        return width, height
    long, short = max(width, height), min(width, height)
    share = min(max(side / long, side * NARROWEST / short), side * LONGEST / long)
    if share >= 1:
        return width, height
    return max(1, round(width * share)), max(1, round(height * share))


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image at `size`: itself where that is its own, else after Pillow's bicubic filter."""
    if image.size == size:
        return image
    return image.resize(size, FILTER, reducing_gap=REDUCING_GAP)
