"""Image operations with a strength; the strengths stand in `simsearch.images.perturbations.OPERATIONS`.

Each operation takes an RGB image, a random generator and an amount, and returns an RGB image. Lengths
are shares of the image's sides, so that scans of all sizes are changed alike.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from simsearch.images.scaling import used_size

Random = np.random.Generator
Colour = tuple[int, int, int]

WHITE = (255, 255, 255)
# The short side for which ImageNet-C's corruptions are defined. Amounts are scaled from it.
REFERENCE_SIDE = 224
# Networks look at 224 to 600 pixels. A larger scan would only cost time, and a canvas of five times the
# scan's size would need more memory, and longer sides than JPEG has.
LONGEST_SIDE = 1024
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"


def _torchvision() -> Any:
    """torchvision's functional transforms, imported at their first use. The import loads PyTorch, which
    the study's own profiles do not need."""
    from torchvision.transforms.v2 import functional

    return functional


def _bilinear() -> Any:
    from torchvision.transforms import InterpolationMode

    return InterpolationMode.BILINEAR


def workable(image: Image.Image) -> Image.Image:
    """The image, scaled down to a longer side of at most LONGEST_SIDE pixels. The short side of a long
    image keeps a quarter of that (`scaling.used_size`)."""
    longest = max(used_size(*image.size, LONGEST_SIDE))
    if max(image.size) <= longest:
        return image
    small = image.copy()
    small.thumbnail((longest, longest))
    return small


def crop(image: Image.Image, rng: Random, kept: float) -> Image.Image:
    side = kept**0.5
    width, height = _at_least_1(image.width * side), _at_least_1(image.height * side)
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def rotate(image: Image.Image, rng: Random, degrees: float) -> Image.Image:
    rotated: Image.Image = _torchvision().rotate(
        image, _sign(rng) * degrees, _bilinear(), expand=True, fill=list(WHITE)
    )
    return rotated


def flip(image: Image.Image, _rng: Random, which: float) -> Image.Image:
    turns = (
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.ROTATE_180,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSPOSE,
    )
    return image.transpose(turns[int(which)])


def perspective(image: Image.Image, rng: Random, shift: float) -> Image.Image:
    right, bottom = image.width - 1, image.height - 1
    corners = [(0, 0), (right, 0), (right, bottom), (0, bottom)]
    inwards = rng.uniform(0.5, 1, (4, 2)) * shift * (right, bottom)
    moved = [
        [round(x + (dx if x == 0 else -dx)), round(y + (dy if y == 0 else -dy))]
        for (x, y), (dx, dy) in zip(corners, inwards, strict=True)
    ]
    if min(right, bottom) < 8:  # too few pixels to span a quadrilateral
        return image
    warped: Image.Image = _torchvision().perspective(
        image, [list(corner) for corner in corners], moved, fill=list(WHITE)
    )
    return warped


def pad(image: Image.Image, rng: Random, border: float) -> Image.Image:
    across, down = round(image.width * border), round(image.height * border)
    padded: Image.Image = _torchvision().pad(image, [across, down], fill=list(_colour(rng)))
    return padded


def aspect(image: Image.Image, rng: Random, factor: float) -> Image.Image:
    wide, high = (factor, 1.0) if rng.random() < 0.5 else (1.0, factor)
    return image.resize((_at_least_1(image.width * wide), _at_least_1(image.height * high)))


def brightness(image: Image.Image, rng: Random, change: float) -> Image.Image:
    adjusted: Image.Image = _torchvision().adjust_brightness(image, 1 + _sign(rng) * change)
    return adjusted


def contrast(image: Image.Image, _rng: Random, factor: float) -> Image.Image:
    adjusted: Image.Image = _torchvision().adjust_contrast(image, factor)
    return adjusted


def hue(image: Image.Image, rng: Random, turn: float) -> Image.Image:
    adjusted: Image.Image = _torchvision().adjust_hue(image, _sign(rng) * turn)
    return adjusted


def grey(image: Image.Image, _rng: Random, removed: float) -> Image.Image:
    adjusted: Image.Image = _torchvision().adjust_saturation(image, 1 - removed)
    return adjusted


def gamma(image: Image.Image, rng: Random, exponent: float) -> Image.Image:
    adjusted: Image.Image = _torchvision().adjust_gamma(image, exponent ** _sign(rng))
    return adjusted


def invert(image: Image.Image, _rng: Random, threshold: float) -> Image.Image:
    inverted: Image.Image = _torchvision().solarize(image, threshold)
    return inverted


def jpeg(image: Image.Image, _rng: Random, quality: float) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(quality))
    return Image.open(buffer).convert("RGB")


def blur(image: Image.Image, _rng: Random, sigma: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma * min(image.size) / REFERENCE_SIDE))


def noise(image: Image.Image, rng: Random, std: float) -> Image.Image:
    # The grain is as coarse as the network will see it. A finer grain would vanish in scaling down.
    scale = min(1.0, REFERENCE_SIDE / min(image.size))
    rows, columns = _at_least_1(image.height * scale), _at_least_1(image.width * scale)
    drawn = rng.normal(0, std * 255, (rows, columns, 3)).round().astype(np.int16)
    down = np.arange(image.height) * rows // image.height
    across = np.arange(image.width) * columns // image.width
    noisy = np.asarray(image, np.int16) + drawn[:, across][down]  # the small array widened first
    return Image.fromarray(np.clip(noisy, 0, 255, out=noisy).astype(np.uint8))


def rescale(image: Image.Image, _rng: Random, short_side: float) -> Image.Image:
    # A network sees an image smaller than the reference whole: scale from the image's own side.
    scale = short_side / max(REFERENCE_SIDE, min(image.size))
    small = image.resize(
        (_at_least_1(image.width * scale), _at_least_1(image.height * scale)),
        Image.Resampling.LANCZOS,
    )
    return small.resize(image.size, Image.Resampling.BILINEAR)


def posterise(image: Image.Image, _rng: Random, bits: float) -> Image.Image:
    posterised: Image.Image = _torchvision().posterize(image, int(bits))
    return posterised


def text(image: Image.Image, rng: Random, lines: float) -> Image.Image:
    result = image.copy()
    draw = ImageDraw.Draw(result)
    font = ImageFont.load_default(max(4.0, min(image.size) / 10))
    for _ in range(int(lines)):
        words = "".join(rng.choice(list(LETTERS), 24))
        place = (rng.uniform(-0.1, 0.3) * image.width, rng.uniform(0, 0.9) * image.height)
        draw.text(place, words, fill=_colour(rng), font=font)
    return result


def frame(image: Image.Image, rng: Random, border: float) -> Image.Image:
    """Covers the image's edge, unlike `pad`, which adds to it."""
    result = image.copy()
    width = _at_least_1(min(image.size) * border)
    draw = ImageDraw.Draw(result)
    box = (0, 0, image.width - 1, image.height - 1)
    draw.rectangle(box, outline=_colour(rng), width=width)
    draw.rectangle(box, outline=_colour(rng), width=max(1, width // 3))
    return result


def collage(image: Image.Image, rng: Random, share: float) -> Image.Image:
    """The image as one part of a larger canvas of coloured rectangles."""
    side = share**-0.5
    canvas = Image.new("RGB", (round(image.width * side), round(image.height * side)), _colour(rng))
    draw = ImageDraw.Draw(canvas)
    for _ in range(12):
        x, y = np.sort(rng.random((2, 2)), axis=1)
        box = (x[0] * canvas.width, y[0] * canvas.height, x[1] * canvas.width, y[1] * canvas.height)
        draw.rectangle(box, fill=_colour(rng))
    left = int(rng.integers(0, canvas.width - image.width + 1))
    top = int(rng.integers(0, canvas.height - image.height + 1))
    canvas.paste(image, (left, top))
    return canvas


def _sign(rng: Random) -> int:
    return 1 if rng.random() < 0.5 else -1


def _colour(rng: Random) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _at_least_1(length: float) -> int:
    return max(1, int(length))
