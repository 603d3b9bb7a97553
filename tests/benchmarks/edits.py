"""Copies to be found: each picture in five edits, those of imagededup's own benchmark."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

QUALITY = 95
ORIGINAL = "original"


def _cropped(image: Image.Image, rng: random.Random) -> Image.Image:
    """Seven eighths of each side, at a random place."""
    width, height = (side * 7 // 8 for side in image.size)
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


EDITS: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "crop": _cropped,
    "flip": lambda image, _: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside-down": lambda image, _: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "rotation": lambda image, _: image.rotate(25, Image.Resampling.BICUBIC),  # black corners
    "square": lambda image, _: image.resize((160, 160), Image.Resampling.BICUBIC),
}


def edit_all(pictures: Path, folder: Path) -> None:
    """Store each of `pictures` and its edits in a new folder, as `<picture>.<edit>` with its ending."""
    folder.mkdir(parents=True)
    for path in sorted(pictures.iterdir()):
        shutil.copyfile(path, folder / f"{path.stem}.{ORIGINAL}{path.suffix}")
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        for name, edit in EDITS.items():
            edited = edit(image, random.Random(f"{path.stem} {name}"))
            edited.save(folder / f"{path.stem}.{name}.jpg", quality=QUALITY)
