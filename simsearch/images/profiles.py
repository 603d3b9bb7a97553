"""Colour profiles: detect sRGB, and convert pictures from their profiles to sRGB."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

# The colorants of sRGB, adapted to D50 by the Bradford transform (IEC 61966-2-1, ICC.1:2010).
_COLORANTS = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}
COLORANT_TOLERANCE = 0.002  # profiles of 1998 round more coarsely than the one of ICC.1:2010
# Bytes. Curves of 4,096 entries take 24 kB. Larger profiles hold tables, and are not kept in memory.
LARGEST_SRGB = 2**18
CURVE_TOLERANCE = 0.002  # of linear light; half a level of 255 at the bright end
_BY_TABLE = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")  # tags that override colorants and curves

# By colour space of the profile: the mode of Pillow whose channels it describes.
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}

# Little CMS speeds up greys and 16 bits by a table that is too coarse for dark tones of linear light: it
# gives 6 levels of 255 where 13 are right.
_EXACT = ImageCms.Flags.NOOPTIMIZE


def is_srgb(profile: bytes) -> bool:
    """Whether a profile is sRGB by its colorants and curves, whatever its name says."""
    return len(profile) <= LARGEST_SRGB and _is_srgb(profile)


@functools.lru_cache(64)  # of at most 16 MB in all
def _is_srgb(profile: bytes) -> bool:
    try:
        tags = _tags(profile)
        if profile[16:20] != b"RGB " or any(name in tags for name in _BY_TABLE):
            return False
        places = np.linspace(0, 1, 64)
        light = np.where(places <= 0.04045, places / 12.92, ((places + 0.055) / 1.055) ** 2.4)
        near = all(
            np.abs(np.subtract(_xyz(tags[name]), colorant)).max() < COLORANT_TOLERANCE
            for name, colorant in _COLORANTS.items()
        )
        return near and all(
            np.abs(_curve(tags[name])(places) - light).max() < CURVE_TOLERANCE
            for name in (b"rTRC", b"gTRC", b"bTRC")
        )
    except (KeyError, ValueError, IndexError, struct.error):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * n) for n in range(min(count, 200)))
    return {name: profile[start : start + length] for name, start, length in entries}


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(value / 65536 for value in struct.unpack_from(">3i", tag, 8))


def _curve(tag: bytes) -> Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """A tone curve of type `curv` or `para` (ICC.1:2010, 10.5 and 10.15), code value to light."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return lambda places: places
        values = np.array(struct.unpack_from(f">{min(count, 65536)}H", tag, 12))
        if count == 1:
            return lambda places: places ** (values[0] / 256)
        return lambda places: np.interp(places, np.linspace(0, 1, len(values)), values / 65535)
    (kind,) = struct.unpack_from(">H", tag, 8)
    if tag[:4] != b"para" or kind != 3:
        raise ValueError("not a curve of sRGB's kind")
    g, a, b, c, d = (value / 65536 for value in struct.unpack_from(">5i", tag, 12))
    return lambda places: np.where(places >= d, np.maximum(a * places + b, 0) ** g, c * places)


@functools.cache
def srgb() -> bytes:
    """The profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@functools.cache
def cielab() -> bytes:
    """The profile of CIELAB under D50."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture of 8 bits a channel in sRGB, its transparency kept.

    A broken profile, or a profile whose channels are not the picture's, changes nothing, as in viewers.
    """
    if not profile or is_srgb(profile):
        return image
    if image.mode in ("LA", "PA", "RGBA"):
        opaque, alpha = image.convert("RGBA").convert("RGB"), image.getchannel("A")
        if image.mode == "LA":
            opaque = image.getchannel("L")
        converted = to_srgb(opaque, profile).convert("RGB")
        converted.putalpha(alpha)
        return converted
    mode = _MODES.get(profile[16:20])
    image = _convert_channels(image, mode)
    if mode != image.mode:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        flags = _EXACT if mode == "L" else ImageCms.Flags.NONE
        converted_or_none = ImageCms.profileToProfile(
            image, source, target, outputMode="RGB", flags=flags
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if converted_or_none is None else converted_or_none


def _convert_channels(image: Image.Image, mode: str | None) -> Image.Image:
    """The picture in a profile's mode if its channels allow that, else unchanged."""
    if mode == "RGB" and image.mode != "CMYK":
        return image.convert("RGB")
    if mode != "L" or image.mode == "CMYK":
        return image
    if image.mode in ("1", "L"):
        return image.convert("L")
    # AVIF, WebP and HEIF have no grey mode: their greys come as equal channels.
    red, green, blue = image.convert("RGB").split()
    return red if red.tobytes() == green.tobytes() == blue.tobytes() else image


def samples_to_srgb(
    samples: npt.NDArray[np.uint16], space: str, profile: bytes
) -> npt.NDArray[np.uint8] | None:
    """Samples [h, w, channels] over the whole range of 16 bits as sRGB [h, w, 3]. None if the profile is
    broken or has other channels.

    `space` is one of "gray", "rgb", "cmyk" and "lab". Pillow converts 8 bits only, which would lose the
    dark tones of a linear picture, so this calls Pillow's library (Little CMS) directly.
    """
    import imagecodecs

    try:
        return np.asarray(
            imagecodecs.cms_transform(
                np.ascontiguousarray(samples[:, :, 0] if space == "gray" else samples),
                profile,
                srgb(),
                colorspace=space,
                outcolorspace="rgb",
                outdtype="uint8",
                flags=int(_EXACT),
            )
        )
    except (imagecodecs.CmsError, ValueError):
        return None
