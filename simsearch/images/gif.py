"""The first frame of a GIF on its screen."""

from __future__ import annotations

from PIL import Image


def first_frame(image: Image.Image) -> Image.Image:
    """An opened GIF, decoded. Around a frame that is smaller than the screen nothing is drawn, as in
    browsers; Pillow has the first colour of the palette there."""
    size = image.size
    box = image.tile[0].extents if image.tile else None  # type: ignore[attr-defined]
    image.load()
    if box is None or tuple(box) == (0, 0, *size):
        return image
    screen = Image.new("RGBA", size)
    screen.paste(image.convert("RGBA").crop(box), box)
    return screen
