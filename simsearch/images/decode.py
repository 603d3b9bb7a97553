"""Bytes to an RGB image, or a named reason for the failure. Image files are untrusted.

If less than full size is enough, a JPEG file is scaled down while it is decoded (Pillow's `Image.draft`),
which reads fewer of its coefficients. Every file is scaled down before its colours are converted. Files
that Pillow reads wrongly or not at all go through tifffile and imagecodecs (`samples.Deep`).
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageColor, UnidentifiedImageError

from simsearch.images import bmp, gif, heif, jpeg, jpeg2000, png, tiff
from simsearch.images.kinds import FORMATS, HEIF_ADVICE, heif_readable, kind_of, stranger_name
from simsearch.images.limits import ImageError
from simsearch.images.orientation import QUARTER_TURNS, UPRIGHT, stored_orientation, turned
from simsearch.images.profiles import to_srgb
from simsearch.images.samples import Deep, Samples
from simsearch.images.scaling import SCALABLE, scale_to, used_size
from simsearch.images.strips import refuse_absent_parts

# Pillow's own limit warns through process-wide state; ours is checked on the header, per call.
Image.MAX_IMAGE_PIXELS = None

_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


def decode(
    data: bytes, *, max_pixels: int, max_bytes: int, background: str, side: int | None = None
) -> Image.Image:
    """An image file as RGB, upright and in sRGB: the first frame of an animation, the first of several
    pictures, the first page of a TIFF that is no thumbnail and no mask. `bounded.decode_within` does the
    same within limits of time and memory.

    Transparent pixels show `background` (#rrggbb). The size is `scaling.used_size` for `side`, or full
    size for None. Raises ImageError.
    """
    if not data:
        raise ImageError("empty file", "0 bytes")
    if len(data) > max_bytes:
        raise ImageError("too many bytes", f"more than {max_bytes:,}")
    try:
        return _decode(data, max_pixels, background, side)
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("too much memory", "for its pixels") from None
    except (TypeError, AttributeError, LookupError, ArithmeticError):
        # A value of another type or size than the format has. These errors speak of code, not of files.
        raise ImageError("broken", f"{_with_article(kind_of(data))} that cannot be read") from None
    except Exception as error:  # noqa: BLE001 - on broken files decoders raise anything
        raise ImageError("broken", _detail(error)) from None


def _decode(data: bytes, max_pixels: int, background: str, side: int | None) -> Image.Image:
    kind = kind_of(data)
    image = _open(png.pixels_alone(data) if kind == "PNG" else data, kind)
    if image is None and kind == "JPEG":
        data = jpeg.pixels_alone(data)
        image = _open(data, kind)
    if image is not None:
        _refuse_size(image.size, max_pixels)
        if kind == "JPEG" and (ended := jpeg.with_end(data)) is not data:
            image = _open(ended, kind)
    deep = _deep(data, kind, image)
    if image is None and deep is None:
        raise _unreadable(data, kind)
    width, height = image.size if deep is None and image is not None else _size(deep)
    _refuse_size((width, height), max_pixels)
    size = used_size(width, height, side)
    if deep is not None:
        image = deep.picture(size)
        return _flatten(image, None, background, _upright(size, deep.orientation))
    assert image is not None
    if kind == "TIFF":
        refuse_absent_parts(image.tag_v2)  # type: ignore[attr-defined]
    profile = _profile(data, kind, image)
    orientation = _orientation(data, kind, image)
    if size != (width, height):
        image.draft(None, size)  # JPEG: to an eighth, a quarter or half, never below `size`
    if kind == "GIF":
        image = gif.first_frame(image)
    image.load()
    if kind == "PNG":
        _scale_key(image, png.bits_of(data))
    return _flatten(turned(image, orientation), profile, background, _upright(size, orientation))


def _refuse_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError("too many pixels", f"{width} × {height}, allowed are {max_pixels:,}")
    if width < 1 or height < 1:
        raise ImageError("broken", "no pixels")


def _open(data: bytes, kind: str | None) -> Image.Image | None:
    """The file as Pillow opens it, not decoded yet. None if Pillow does not know the format."""
    formats = (*FORMATS, "HEIF") if kind == "HEIF" and heif_readable() else FORMATS
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        return None
    except OSError:
        if kind != "BMP":
            raise
        return None  # masks that Pillow does not have
    if image.format == "TIFF" and not tiff.seek_picture(image):
        return None  # Pillow does not open the directories below a page
    return image


def _deep(data: bytes, kind: str | None, image: Image.Image | None) -> Deep | None:
    """The file as tifffile and imagecodecs read it. None if Pillow reads it rightly."""
    if kind == "TIFF" and (image is None or not tiff.is_plain(image.tag_v2)):  # type: ignore[attr-defined]
        return tiff.open_tiff(data)
    if kind == "JPEG" and image is None:
        return jpeg.open_jpeg(data)
    if kind == "BMP":
        return bmp.open_bmp(data)
    if kind == "JPEG2000":
        header = jpeg2000.read_header(data)
        return None if header.plain and image is not None else jpeg2000.open_jpeg2000(data, header)
    if image is None:
        return None
    if kind == "PNG" and png.bits_of(data) == 16:
        orientation = _orientation(data, kind, image)
        return png.open_png(
            png.pixels_alone(data), image.size, png.colour_profile(data), orientation
        )
    if image.mode in ("I", "I;16", "F"):
        # A portable map of 16 bits, a grey HEIF of 10 or 12 bits, a portable float map.
        bits = None if image.mode == "F" else 16

        def read() -> Samples:
            return Samples(np.atleast_3d(np.asarray(image)), "gray", bits)

        return Deep(image.size, read, _profile(data, kind, image))
    return None


def _orientation(data: bytes, kind: str | None, image: Image.Image) -> int:
    exif = png.exif_of(data) if kind == "PNG" else None
    if exif is not None:
        image.info["exif"] = b"Exif\0\0" + exif.removeprefix(b"Exif\0\0")
    orientation = stored_orientation(image)
    return UPRIGHT if kind == "TIFF" else orientation  # Pillow turns a TIFF when it decodes it


def _size(deep: Deep | None) -> tuple[int, int]:
    assert deep is not None
    return deep.size


def _upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    width, height = size
    return (height, width) if orientation in QUARTER_TURNS else (width, height)


def _profile(data: bytes, kind: str | None, image: Image.Image) -> bytes | None:
    if kind == "PNG":
        return png.colour_profile(data)
    embedded = image.info.get("icc_profile")
    if not isinstance(embedded, bytes):  # a TIFF's tag may be a text or a number
        embedded = None
    if kind == "JPEG2000":
        return jpeg2000.read_header(data).profile
    if kind in ("AVIF", "HEIF"):
        return heif.colour_profile(data, kind, embedded)
    if kind == "BMP":
        return bmp.embedded_profile(data)
    return embedded


def _unreadable(data: bytes, kind: str | None) -> ImageError:
    if kind is None:
        return ImageError("not an image", stranger_name(data))
    if kind == "HEIF" and not heif_readable():
        return ImageError("not an image", HEIF_ADVICE)
    return ImageError("broken", f"{_with_article(kind)} whose header cannot be read")


def _with_article(kind: str | None) -> str:
    return f"{'an' if kind == 'AVIF' else 'a'} {kind or 'file'}"


def _scale_key(image: Image.Image, bits: int) -> None:
    """Scale a PNG's transparent grey to 8 bits, as Pillow scales greys of 2 and 4 bits but not this one."""
    key = image.info.get("transparency")
    if image.mode == "L" and bits in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key * 255 // ((1 << bits) - 1)


def _flatten(
    image: Image.Image, profile: bytes | None, background: str, size: tuple[int, int]
) -> Image.Image:
    if image.mode in SCALABLE and "transparency" not in image.info:
        image = scale_to(image, size)
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
        rgba = to_srgb(image, profile).convert("RGBA")
        canvas = Image.new("RGBA", rgba.size, (*ImageColor.getrgb(background)[:3], 255))
        return scale_to(Image.alpha_composite(canvas, rgba).convert("RGB"), size)
    return scale_to(to_srgb(image, profile).convert("RGB"), size)


def _detail(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
