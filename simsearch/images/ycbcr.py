"""YCbCr of TIFF 6.0 (section 21): its coefficients and reference levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from simsearch.images.limits import ImageError

_COEFFICIENTS, _REFERENCES = 529, 532  # tags
_USUAL_COEFFICIENTS = (0.299, 0.587, 0.114)  # of red, green and blue in the luma, as in JPEG
_USUAL_REFERENCES = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)  # black and white of Y, Cb and Cr
_ROWS = 256  # converted at a time, of 12 bytes a pixel


def rgb_of_ycbcr(
    colours: npt.NDArray[Any], bits: int, tags: Mapping[int, Any]
) -> npt.NDArray[np.uint8]:
    """The RGB of samples [h, w, 3] by a page's tags. Raises ImageError."""
    if bits != 8:
        raise ImageError("unsupported", f"a TIFF in YCbCr of {bits} bits")
    red, green, blue = coefficients = _rationals(tags.get(_COEFFICIENTS), _USUAL_COEFFICIENTS)
    references = _rationals(tags.get(_REFERENCES), _USUAL_REFERENCES)
    if coefficients == _USUAL_COEFFICIENTS and references == _USUAL_REFERENCES:
        image = Image.fromarray(np.ascontiguousarray(colours), "YCbCr")
        return np.asarray(image.convert("RGB"))
    black, white = np.reshape(references, (3, 2)).astype(np.float32).T
    if green == 0 or not (white - black).all():
        raise ImageError("broken", "a TIFF whose reference levels cannot be read")
    scale = np.array([255, 127, 127], np.float32) / (white - black)
    rgb = np.empty(colours.shape, np.uint8)
    for top in range(0, len(colours), _ROWS):
        rows = slice(top, top + _ROWS)
        luma, cb, cr = np.moveaxis((colours[rows] - black) * scale, 2, 0)
        r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
        g = (luma - red * r - blue * b) / green
        rgb[rows] = np.clip(np.rint(np.stack([r, g, b], axis=2)), 0, 255)
    return rgb


def _rationals(value: Any, usual: tuple[float, ...]) -> tuple[float, ...]:
    """The numbers of a tag of numerators and denominators. The usual ones without it."""
    if value is None:
        return usual
    if len(value) != 2 * len(usual) or not all(value[1::2]):
        raise ImageError("broken", "a TIFF whose reference levels cannot be read")
    return tuple(above / below for above, below in zip(value[::2], value[1::2], strict=True))
