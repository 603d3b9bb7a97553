"""Perturbation profiles: changes after which an image should still be found.

There are the 2018 study's five, in Pillow's terms, and twenty operations at severities 1 to 5. The latter
are named `<operation>-<severity>` and applied at a long side of at most 1,024 pixels. Pillow's and
torchvision's own operations are used where they exist. imagecorruptions (last release 2020), AugLy (2022)
and Albumentations (archived in 2025) are no longer maintained.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from simsearch.errors import UnknownNameError
from simsearch.images import operations
from simsearch.images.limits import ImageError
from simsearch.images.suites import SUITES

# Part of every fingerprint. Raise it whenever a profile gives other pixels, not for a new profile.
DEFINITIONS_VERSION = 1

KINDS = ("geometric", "photometric", "degradation", "overlay")
LONGEST_JPEG = 65_500  # pixels of the longest side that libjpeg writes
DOWNSCALE = 0.8
DESATURATE = 0.5

Apply = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Profile:
    """A named change. `apply(image, rng)` takes an RGB image. A random change draws only from `rng`.

    `kind` is one of KINDS. `severity` is 1 to 5, or None for the study's profiles, which have one
    strength.
    """

    name: str
    description: str
    kind: str
    severity: int | None
    apply: Apply


@dataclass(frozen=True)
class Operation:
    """An operation and its amounts at severity 1 to 5. `scale` explains the amounts."""

    name: str
    kind: str
    apply: Callable[[Image.Image, np.random.Generator, float], Image.Image]
    amounts: tuple[float, float, float, float, float]
    scale: str

    def profile(self, severity: int) -> Profile:
        amount = self.amounts[severity - 1]
        return Profile(
            f"{self.name}-{severity}",
            f"{self.scale}: {amount:g}",
            self.kind,
            severity,
            lambda image, rng: self.apply(operations.workable(image), rng, amount),
        )


# jpeg, blur, noise and rescale take the amounts of ImageNet-C's jpeg_compression, gaussian_blur,
# gaussian_noise and pixelate (Hendrycks and Dietterich 2019), defined there for 224 pixels.
OPERATIONS = (
    Operation(
        "crop",
        "geometric",
        operations.crop,
        (0.9, 0.75, 0.6, 0.45, 0.3),
        "share of the area kept, at a random place",
    ),
    Operation(
        "rotate",
        "geometric",
        operations.rotate,
        (3, 8, 15, 30, 60),
        "degrees, to either side, on white",
    ),
    Operation(
        "flip",
        "geometric",
        operations.flip,
        (0, 1, 2, 3, 4),
        "0 left-right, 1 top-bottom, 2 half turn, 3 quarter turn, 4 along the diagonal",
    ),
    Operation(
        "perspective",
        "geometric",
        operations.perspective,
        (0.05, 0.1, 0.15, 0.2, 0.3),
        "corners move inwards by at most this share of a side",
    ),
    Operation(
        "pad",
        "geometric",
        operations.pad,
        (0.05, 0.1, 0.2, 0.35, 0.5),
        "border added on each side, share of that side, one random colour",
    ),
    Operation(
        "aspect",
        "geometric",
        operations.aspect,
        (1.1, 1.25, 1.5, 1.75, 2.0),
        "width or height times",
    ),
    Operation(
        "brightness",
        "photometric",
        operations.brightness,
        (0.15, 0.3, 0.45, 0.6, 0.75),
        "brighter or darker by this share",
    ),
    Operation(
        "contrast",
        "photometric",
        operations.contrast,
        (0.8, 0.6, 0.4, 0.25, 0.15),
        "share of the contrast kept",
    ),
    Operation(
        "hue",
        "photometric",
        operations.hue,
        (0.03, 0.06, 0.12, 0.25, 0.5),
        "hue turned either way, share of the wheel",
    ),
    Operation(
        "grey",
        "photometric",
        operations.grey,
        (0.2, 0.4, 0.6, 0.8, 1.0),
        "share of the colour removed",
    ),
    Operation(
        "gamma",
        "photometric",
        operations.gamma,
        (1.2, 1.5, 2.0, 2.5, 3.5),
        "exponent, or its inverse",
    ),
    Operation(
        "invert",
        "photometric",
        operations.invert,
        (224, 192, 160, 128, 0),
        "values from here to 255 inverted",
    ),
    Operation(
        "jpeg",
        "degradation",
        operations.jpeg,
        (25, 18, 15, 10, 7),
        "JPEG quality",
    ),
    Operation(
        "blur",
        "degradation",
        operations.blur,
        (1, 2, 3, 4, 6),
        "Gaussian, standard deviation in pixels of a short side of 224",
    ),
    Operation(
        "noise",
        "degradation",
        operations.noise,
        (0.08, 0.12, 0.18, 0.26, 0.38),
        "Gaussian, standard deviation as share of full scale, grain 1/224 of the short side",
    ),
    Operation(
        "rescale",
        "degradation",
        operations.rescale,
        (134, 112, 90, 67, 56),
        "scaled down to this short side in pixels, of 224 or more, and up again",
    ),
    Operation(
        "posterise",
        "degradation",
        operations.posterise,
        (5, 4, 3, 2, 1),
        "bits left per channel",
    ),
    Operation(
        "text",
        "overlay",
        operations.text,
        (1, 2, 4, 6, 9),
        "lines of text, each a tenth of the short side high",
    ),
    Operation(
        "frame",
        "overlay",
        operations.frame,
        (0.02, 0.05, 0.08, 0.12, 0.18),
        "frame that covers the edge, share of the short side",
    ),
    Operation(
        "collage",
        "overlay",
        operations.collage,
        (0.8, 0.6, 0.45, 0.3, 0.2),
        "share of a collage's area that the image fills",
    ),
)


def get_profile(name: str) -> Profile:
    """The profile of that name. Raises UnknownNameError, which lists the known names."""
    if name not in PROFILES:
        raise UnknownNameError("perturbation profile", name, PROFILES)
    return PROFILES[name]


def perturb(
    image: Image.Image, profile: Profile, *, reencode_jpeg: bool, seed: int, content_hash: str
) -> Image.Image:
    """The RGB copy of an RGB image, saved as JPEG at Pillow's default quality and read again unless
    `reencode_jpeg` is off. The same seed and content give the same pixels. Raises ImageError for a
    copy that is too long for JPEG."""
    material = f"{seed}:{content_hash}:{profile.name}".encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(material).digest()[:8], "little"))
    copy = profile.apply(image, rng)
    if reencode_jpeg:
        if max(copy.size) > LONGEST_JPEG:
            raise ImageError(
                "too many pixels",
                f"its copy {profile.name} would have {copy.width:,} × {copy.height:,}, a JPEG has at "
                f"most {LONGEST_JPEG:,} a side; set perturbations.side",
            )
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG")
        copy = Image.open(buffer)
    return copy.convert("RGB")


def mildest(names: Iterable[str]) -> tuple[str, ...]:
    """The profiles of the lowest severity among `names`. The study's profiles count as severity 1."""
    severities = {name: get_profile(name).severity or 1 for name in names}
    return tuple(name for name in severities if severities[name] == min(severities.values()))


def suites_of(profile: str) -> list[str]:
    """The names of the suites that hold a profile."""
    return [name for name, profiles in SUITES.items() if profile in profiles]


def _downscale(image: Image.Image, _rng: np.random.Generator) -> Image.Image:
    size = (max(1, int(image.width * DOWNSCALE)), max(1, int(image.height * DOWNSCALE)))
    return image.resize(size)  # Pillow's default filter, BICUBIC


def _study(name: str, description: str, kind: str, apply: Apply) -> Profile:
    return Profile(name, description, kind, None, apply)


STUDY = (
    _study(
        "grayscale",
        "shades of grey: convert('L')",
        "photometric",
        lambda image, _: image.convert("L"),
    ),
    _study("downscale", f"each side times {DOWNSCALE}", "degradation", _downscale),
    _study(
        "sharpen",
        "ImageFilter.SHARPEN",
        "degradation",
        lambda image, _: image.filter(ImageFilter.SHARPEN),
    ),
    _study(
        "edge-enhance",
        "ImageFilter.EDGE_ENHANCE_MORE",
        "degradation",
        lambda image, _: image.filter(ImageFilter.EDGE_ENHANCE_MORE),
    ),
    _study(
        "desaturate",
        f"ImageEnhance.Color({DESATURATE})",
        "photometric",
        lambda image, _: ImageEnhance.Color(image).enhance(DESATURATE),
    ),
)

PROFILES = {
    profile.name: profile
    for profile in (
        *STUDY,
        *(operation.profile(severity) for operation in OPERATIONS for severity in range(1, 6)),
    )
}
