"""Perturbation profiles: small changes after which an image should still be found.

The study's five, in Pillow's terms. A registry, made for more.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from simsearch.errors import UnknownNameError

# Part of every fingerprint: raise it whenever a profile gives other pixels.
DEFINITIONS_VERSION = 1

DOWNSCALE = 0.8
DESATURATE = 0.5


@dataclass(frozen=True)
class Profile:
    """A named change. `apply(image, rng)` takes an RGB image; a random one draws from `rng` only."""

    name: str
    description: str
    apply: Callable[[Image.Image, np.random.Generator], Image.Image]


def get_profile(name: str) -> Profile:
    """The profile of that name. Raises UnknownNameError listing those there are."""
    if name not in PROFILES:
        raise UnknownNameError("perturbation profile", name, PROFILES)
    return PROFILES[name]


def perturb(
    image: Image.Image, profile: Profile, *, reencode_jpeg: bool, seed: int, content_hash: str
) -> Image.Image:
    """The RGB copy of an RGB image, saved as JPEG at Pillow's default quality and read again unless
    `reencode_jpeg` is off. The same seed and content give the same pixels."""
    material = f"{seed}:{content_hash}:{profile.name}".encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(material).digest()[:8], "little"))
    copy = profile.apply(image, rng)
    if reencode_jpeg:
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG")
        copy = Image.open(buffer)
    return copy.convert("RGB")


def _downscale(image: Image.Image, _rng: np.random.Generator) -> Image.Image:
    size = (max(1, int(image.width * DOWNSCALE)), max(1, int(image.height * DOWNSCALE)))
    return image.resize(size)  # Pillow's default filter, BICUBIC


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("grayscale", "shades of grey: convert('L')", lambda image, _: image.convert("L")),
        Profile("downscale", f"each side times {DOWNSCALE}", _downscale),
        Profile(
            "sharpen", "ImageFilter.SHARPEN", lambda image, _: image.filter(ImageFilter.SHARPEN)
        ),
        Profile(
            "edge-enhance",
            "ImageFilter.EDGE_ENHANCE_MORE",
            lambda image, _: image.filter(ImageFilter.EDGE_ENHANCE_MORE),
        ),
        Profile(
            "desaturate",
            f"ImageEnhance.Color({DESATURATE})",
            lambda image, _: ImageEnhance.Color(image).enhance(DESATURATE),
        ),
    )
}
