"""The first frame of a GIF on its screen."""

from __future__ import annotations

from PIL import Image


def first_frame(image: Image.Image) -> Image.Image:
    """The decoded first frame of an opened GIF. The screen around a smaller frame is transparent, as in
    browsers. Pillow fills it with the first colour of the palette."""
    size = image.size
    box = image.tile[0].extents if image.tile else None  # type: ignore[attr-defined]
    image.load()
    if box is None or tuple(box) == (0, 0, *size):
        return image
    screen = Image.new("RGBA", size)
    screen.paste(image.convert("RGBA").crop(box), box)
    return screen
