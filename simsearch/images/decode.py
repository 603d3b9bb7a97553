"""Bytes to an RGB image, or a named reason why not. Image files are untrusted.

Where less than full size is enough, a JPEG file is scaled down in the course of decoding (Pillow's
`Image.draft`), which reads fewer of its coefficients, and every file before its colours are converted.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError

from simsearch.images.scaling import SCALABLE, scaled, used_size

# JPEG covers MPO, whose first picture is the photograph; TIFF covers BigTIFF.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")

HEIF_EXTENSIONS = frozenset({".heic", ".heif", ".hif"})
HEIF_ADVICE = "HEIF; to read it, install simsearch[heif]"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

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


REASONS = (
    "empty file",
    "too many bytes",
    "not an image",
    "too many pixels",
    "too much memory",
    "too slow",
    "broken",
)


@functools.cache
def heif_readable() -> bool:
    """Whether the optional package for HEIF is installed; registers it with Pillow."""
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    importlib.import_module("pillow_heif").register_heif_opener()
    return True


def content_hash(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def decode(
    data: bytes, *, max_pixels: int, max_bytes: int, background: str, side: int | None = None
) -> Image.Image:
    """An image file as RGB, upright and in sRGB; the first frame of an animation, the first page or
    picture of several. `bounded.decode_within` does the same within a time and memory.

    Transparency is laid on `background` (#rrggbb); `side` None: full size, else `scaling.used_size`.
    Raises ImageError.
    """
    if not data:
        raise ImageError("empty file", "0 bytes")
    if len(data) > max_bytes:
        raise ImageError("too many bytes", f"more than {max_bytes:,}")
    is_heif = data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS
    formats = (*FORMATS, "HEIF") if is_heif and heif_readable() else FORMATS
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise ImageError("not an image", _what_it_is(data, is_heif)) from None
    except MemoryError:
        raise ImageError("too much memory", "while its header was read") from None
    except _BROKEN as error:
        raise ImageError("broken", _detail(error)) from None
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError("too many pixels", f"{width} × {height}, allowed are {max_pixels:,}")
    if not width or not height:
        raise ImageError("broken", "no pixels")
    try:
        size = used_size(width, height, side)
        if size != (width, height):
            image.draft(None, size)  # JPEG: to an eighth, a quarter or half, never below `size`
        image.load()
        return _to_rgb(image, background, size)
    except MemoryError:
        raise ImageError("too much memory", f"{width} × {height} pixels") from None
    except _BROKEN as error:
        raise ImageError("broken", _detail(error)) from None


def _what_it_is(data: bytes, is_heif: bool) -> str:
    if is_heif:
        return HEIF_ADVICE
    if data.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer; run `git lfs pull` where it comes from"
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return f"none of {', '.join(FORMATS)}"


def _to_rgb(image: Image.Image, background: str, size: tuple[int, int]) -> Image.Image:
    """`size` is that of the file's own orientation."""
    profile = image.info.get("icc_profile")
    stored = image.size
    image = ImageOps.exif_transpose(image)
    if image.size != stored:  # a quarter turn
        size = size[1], size[0]
    image = _to_8_bits(image)
    if image.mode in SCALABLE and "transparency" not in image.info:
        image = scaled(image, size)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = _to_srgb(image.convert("RGBA"), profile)
        canvas = Image.new("RGBA", rgba.size, (*ImageColor.getrgb(background)[:3], 255))
        return scaled(Image.alpha_composite(canvas, rgba).convert("RGB"), size)
    return scaled(_to_srgb(image, profile).convert("RGB"), size)


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
