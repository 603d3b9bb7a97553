"""Bytes to an RGB image, or a named reason why not. Image files are untrusted.

JPEG draft decoding (Pillow's `Image.draft`) is not used: it scales in the DCT domain, which gives
other pixels than a full decode, and the perturbed copies are made of the full image.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError

# JPEG covers MPO, whose first picture is the photograph; TIFF covers BigTIFF.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")

# What files of these formats are called; contents are told by their first bytes, never by names.
EXTENSIONS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".btf",
        ".bmp",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".mpo",
        ".jp2",
        ".j2k",
        ".jpf",
        ".jpx",
        ".jpc",
        ".j2c",
        ".avif",
        ".avifs",
    ]
)

# What Pillow's decoders raise on broken files, beside its own UnidentifiedImageError (an OSError).
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    EOFError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

# Pillow's own limit warns through process-wide state; ours is checked on the header, per call.
Image.MAX_IMAGE_PIXELS = None


class ImageError(ValueError):
    """Why bytes are no usable image: `reason` is one of REASONS, `detail` says more."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason, detail)


REASONS = ("empty file", "too many bytes", "not an image", "too many pixels", "broken")


def content_hash(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, *, max_pixels: int, max_bytes: int, background: str) -> Image.Image:
    """An image file as RGB, upright and in sRGB; the first frame of an animation.

    Transparency is laid on `background` (#rrggbb). Raises ImageError.
    """
    if not data:
        raise ImageError("empty file", "0 bytes")
    if len(data) > max_bytes:
        raise ImageError("too many bytes", f"more than {max_bytes:,}")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError("not an image", f"none of {', '.join(FORMATS)}") from None
    except _BROKEN as error:
        raise ImageError("broken", _detail(error)) from None
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError("too many pixels", f"{width} × {height}, allowed are {max_pixels:,}")
    if not width or not height:
        raise ImageError("broken", "no pixels")
    try:
        image.load()
        return _to_rgb(image, background)
    except _BROKEN as error:
        raise ImageError("broken", _detail(error)) from None


def _to_rgb(image: Image.Image, background: str) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    image = _to_8_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = _to_srgb(image.convert("RGBA"), profile)
        canvas = Image.new("RGBA", rgba.size, (*ImageColor.getrgb(background)[:3], 255))
        return Image.alpha_composite(canvas, rgba).convert("RGB")
    return _to_srgb(image, profile).convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit and floating-point grey scaled to 0..255; Pillow's own conversion clips instead."""
    if image.mode not in ("I;16", "I;16B", "I;16L", "I", "F"):
        return image
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("pixels that are not finite")
    high = values.max(initial=0.0)
    if image.mode == "F" and high <= 1.0:
        scale = 255.0
    elif image.mode != "F" or high > 255.0:
        scale = 255.0 / 65535.0
    else:
        scale = 1.0
    return Image.fromarray(np.clip(values * scale, 0, 255).round().astype(np.uint8), "L")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        mode = image.mode if image.mode in ("RGB", "RGBA", "CMYK", "L") else "RGB"
        target = "RGBA" if mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            image.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode=target
        )
    except (ImageCms.PyCMSError, *_BROKEN):
        # A broken profile, or one for other channels than the image has: viewers ignore it too.
        return image
    return image if converted is None else converted


def _detail(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
