"""The size at which a picture is used: no larger than needed, and decided only by the picture's size."""

from __future__ import annotations

from PIL import Image

# A long picture's short side stays at least this share of the limit: a hanging scroll of 1,024 × 100
# pixels would have to be enlarged for every network.
NARROWEST = 1 / 4
# A long side is at most this many times the limit. Turned by 60 degrees, a strip of 8,192 × 256 pixels
# fills 29 million, one of 66,000 × 256 some 2,000 million. From 32:1 on, the short side gives way.
LONGEST = 8

FILTER = Image.Resampling.BICUBIC
REDUCING_GAP = 2.0  # whole pixels are averaged down to twice the size, then the filter follows

# Scaling mixes neighbouring values, which is right for colours and wrong for numbers of a palette.
# Colours are converted after scaling, when there are fewer pixels.
SCALABLE = ("L", "LA", "RGB", "RGBA", "CMYK")


def used_size(width: int, height: int, side: int | None) -> tuple[int, int]:
    """The size at which a picture of that size is used.

    The longer side has at most `side` pixels, but the shorter one keeps at least a quarter of `side`,
    unless the longer one would then exceed LONGEST times `side`. Small pictures, and all if `side` is
    None, keep their size."""
    if side is None:
        return width, height
    long, short = max(width, height), min(width, height)
    share = min(max(side / long, side * NARROWEST / short), side * LONGEST / long)
    if share >= 1:
        return width, height
    return max(1, round(width * share)), max(1, round(height * share))


def scale_to(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image at `size`, scaled by Pillow's bicubic filter. The image itself if it has that size."""
    if image.size == size:
        return image
    return image.resize(size, FILTER, reducing_gap=REDUCING_GAP)
