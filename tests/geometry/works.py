"""Drawn works with many corners, and what may be done to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIZE = (360, 300)

Transform = npt.NDArray[np.float64]


def draw(seed: int, wobble: float = 0.0, size: tuple[int, int] = SIZE) -> Image.Image:
    """Work `seed`. `wobble`: pixels by which another hand misses the place of each shape."""
    random, hand = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
    picture = Image.new("RGB", size, tuple(random.integers(0, 255, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(150):
        x, y, width, height = random.random(4) * (*size, 60, 60)
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        x, y = np.array([x, y]) + hand.normal(0, wobble, 2)
        colour = tuple(random.integers(0, 255, 3).tolist())
        shape((x, y, x + width, y + height), fill=colour)
    return picture


def pixels(picture: Image.Image) -> npt.NDArray[np.uint8]:
    return np.array(picture)


def turn(degrees: float, size: tuple[int, int] = SIZE) -> Transform:
    """The turn about the middle that Pillow's `rotate` makes, from the picture to the turned one."""
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array(size) / 2
    return np.block(
        [[rotation, (middle - rotation @ middle)[:, None]], [np.array([0.0, 0.0, 1.0])]]
    )


def affine(*values: float) -> Transform:
    return np.array([values[:3], values[3:], (0, 0, 1)], np.float64)


@dataclass(frozen=True)
class Edit:
    """What is done to a picture, and where its pixels go."""

    apply: Callable[[Image.Image], Image.Image]
    transform: Transform
    mirrored: bool = False


WIDTH, HEIGHT = SIZE
EDITS = {
    "crop": Edit(lambda p: p.crop((40, 30, 320, 280)), affine(1, 0, -40, 0, 1, -30)),
    "mirror": Edit(
        lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        affine(-1, 0, WIDTH, 0, 1, 0),
        mirrored=True,
    ),
    "flip": Edit(
        lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        affine(1, 0, 0, 0, -1, HEIGHT),
        mirrored=True,
    ),
    "turn": Edit(lambda p: p.rotate(25, Image.Resampling.BICUBIC), turn(25)),
    "squeeze": Edit(
        lambda p: p.resize((220, HEIGHT), Image.Resampling.BICUBIC),
        affine(220 / WIDTH, 0, 0, 0, 1, 0),
    ),
}
