"""The orientation in which a picture is stored, and the turn that sets it upright.

Damaged or odd metadata costs no picture: without an orientation that can be read, it is taken as upright,
as in browsers. Pillow's `exif_transpose` fails where any value of the metadata is odd.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

_TAG = 0x0112  # in Exif and TIFF
UPRIGHT = 1
QUARTER_TURNS = (5, 6, 7, 8)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The upright picture. The picture itself if it is stored so."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def stored_orientation(image: Image.Image) -> int:
    """The orientation of an opened picture by its EXIF or its TIFF tags, 1 to 8. XMP is left aside, as in
    browsers, libvips and OpenCV. Pillow goes by it if EXIF has no orientation."""
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)
    try:
        # The method of a PNG decodes its pixels first.
        return orientation_of(Image.Image.getexif(image).get(_TAG))
    except Exception:  # noqa: BLE001 - on damaged metadata Pillow raises anything
        return UPRIGHT


def exif_orientation(exif: bytes) -> int:
    """The orientation in the contents of an EXIF segment, 1 to 8."""
    tags = Image.Exif()
    try:
        tags.load(exif)
        return orientation_of(tags.get(_TAG))
    except Exception:  # noqa: BLE001 - see above
        return UPRIGHT


def orientation_of(value: Any) -> int:
    """The orientation by the value of its tag, of several values by the first."""
    if isinstance(value, (tuple, list)):
        value = value[0] if value else UPRIGHT
    return next((number for number in range(1, 9) if number == value), UPRIGHT)
