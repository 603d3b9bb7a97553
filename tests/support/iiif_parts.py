"""Parts of a IIIF image, as an image server cuts them: each pixel has the colour of its place."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from PIL import Image

PART = re.compile(r"/image/\d+/(\d+),(\d+),(\d+),(\d+)/(\d+),(\d*)/0/default\.jpg")
FACTORS = (1, 2, 4, 8)  # of the tiles that a server names


def cut_part(
    asked: re.Match[str], master: tuple[int, int], level: int, tile: int | None
) -> bytes | None:
    """The JPEG that an address asks for; None where the server does not give that part: one beyond
    the picture, at level 0 any, and where `tile` is the side of its tiles, any but these."""
    left, top, width, height, wide = (int(number) for number in asked.groups()[:5])
    factor = width / wide
    high = int(asked.group(6) or round(height / factor))
    if left + width > master[0] or top + height > master[1]:
        return None
    if tile is not None:
        side = tile * round(factor)
        known = factor in FACTORS or left + width == master[0]
        if not known or left % side or top % side or max(wide, high) > tile:
            return None
    elif level < 1:
        return None
    x = left + (np.arange(wide) + 0.5) * width / wide
    y = top + (np.arange(high) + 0.5) * height / high
    red, green, blue = colour_at(x[None, :], y[:, None], master)
    pixels = np.stack(np.broadcast_arrays(red, green, blue), axis=2)
    buffer = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def colour_at(x: Any, y: Any, master: tuple[int, int]) -> tuple[Any, Any, int]:
    """Red, green and blue of the picture's pixel at (x, y)."""
    return np.multiply(x, 255 / master[0]), np.multiply(y, 255 / master[1]), 200
