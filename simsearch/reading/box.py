"""A rectangular part of a picture, for searches by that part alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from simsearch.errors import UsageError

WHOLE = 100.0  # per cent
ROUNDING = 0.5  # per cent by which a box drawn by hand may exceed the picture
FEWEST_PIXELS = 8  # of a side: a network sees a smear in fewer


@dataclass(frozen=True)
class Box:
    """A rectangle in per cent of the picture's width and height, measured from its upper left
    corner."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        """Raises UsageError for a box that is not within the picture."""
        for start, length in ((self.left, self.width), (self.top, self.height)):
            inside = 0 <= start < WHOLE and length > 0 and start + length <= WHOLE + ROUNDING
            if not inside:  # also true for NaN
                raise UsageError(
                    "the box does not lie within the picture; left and width, top and height are per "
                    "cent and add up to at most 100"
                )

    def cut(self, picture: Image.Image) -> Image.Image:
        """The part of the picture, rounded to whole pixels. Raises UsageError if it has too few pixels."""
        left, right = _pixels(self.left, self.width, picture.width)
        top, bottom = _pixels(self.top, self.height, picture.height)
        if min(right - left, bottom - top) < FEWEST_PIXELS:
            raise UsageError(
                f"the box has {right - left} × {bottom - top} pixels of the picture; draw one of at "
                f"least {FEWEST_PIXELS} × {FEWEST_PIXELS}"
            )
        return picture.crop((left, top, right, bottom))


def _pixels(start: float, length: float, side: int) -> tuple[int, int]:
    first = math.floor(start / WHOLE * side)
    last = math.ceil(min(WHOLE, start + length) / WHOLE * side)
    return first, min(side, last)
