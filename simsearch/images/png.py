"""PNG: 16 bits by imagecodecs, and the colour space that a file's chunks name.

As the standard (W3C PNG, third edition) ranks them: cICP, iCCP, sRGB, then gAMA and cHRM.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError
from simsearch.images.profiles import is_srgb
from simsearch.images.samples import Deep, Samples

_SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # white, red, green, blue: x, y
# The numbers of ITU-T H.273, which cICP uses; None: as sRGB.
_PRIMARIES: dict[int, tuple[float, ...] | None] = {
    1: None,
    2: None,
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
# Pictures with BT.709's camera curve (1, 6, 14, 15) are shown with a gamma of 2.4 or as sRGB. Browsers
# show them as sRGB.
_GAMMAS: dict[int, float | None] = dict.fromkeys((1, 2, 6, 13, 14, 15))
_GAMMAS.update({4: 2.2, 5: 2.8, 8: 1.0})
_HIGH_DYNAMIC_RANGE = {16: "PQ", 18: "HLG"}
GAMMA_TOLERANCE = 0.05  # libpng's: a gamma nearer to 2.2 than this is sRGB's
PRIMARY_TOLERANCE = 0.005
MOST_CHUNKS = 10_000  # read; a hostile file of 100 MB has 8 million, which take a minute


def bits_of(data: bytes) -> int:
    """Bits per sample."""
    return data[24] if len(data) > 24 else 8


def open_png(data: bytes, size: tuple[int, int], profile: bytes | None, orientation: int) -> Deep:
    """A picture of 16 bits a sample."""

    def read() -> Samples:
        import imagecodecs

        bands = np.atleast_3d(imagecodecs.png_decode(data))
        opaque = bands.shape[2] in (1, 3)
        colours = bands if opaque else bands[:, :, :-1]
        return Samples(
            colours=colours,
            space="gray" if colours.shape[2] == 1 else "rgb",
            bits=16,
            alpha=None if opaque else bands[:, :, -1],
        )

    return Deep(size, read, profile, orientation)


def colour_profile(data: bytes, embedded: bytes | None) -> bytes | None:
    """The profile of a PNG's colours, None for sRGB. `embedded` is the profile in its iCCP chunk. Raises
    ImageError for a high dynamic range, which has no agreed look on an ordinary screen."""
    named = dict(chunks(data))
    coded = named.get(b"cICP", b"")
    if len(coded) == 4:
        if coded[1] in _HIGH_DYNAMIC_RANGE:
            curve = _HIGH_DYNAMIC_RANGE[coded[1]]
            raise ImageError("unsupported", f"a PNG of high dynamic range ({curve})")
        if coded[0] in _PRIMARIES and coded[1] in _GAMMAS:
            return _profile(_PRIMARIES[coded[0]], _GAMMAS[coded[1]])
    if embedded is not None:
        return embedded
    if b"sRGB" in named:
        return None
    gamma = primaries = None
    if len(named.get(b"gAMA", b"")) == 4 and any(named[b"gAMA"]):
        gamma = 100_000 / int.from_bytes(named[b"gAMA"], "big")
        if abs(gamma / 2.2 - 1) < GAMMA_TOLERANCE:
            gamma = None
    if len(named.get(b"cHRM", b"")) == 32:
        primaries = tuple(value / 100_000 for value in struct.unpack(">8I", named[b"cHRM"]))
        if max(map(abs, np.subtract(primaries, _SRGB_PRIMARIES))) < PRIMARY_TOLERANCE:
            primaries = None
    return _profile(primaries, gamma)


def chunks(data: bytes, longest: int = 32) -> Iterator[tuple[bytes, bytes]]:
    """The name and contents of each chunk before the pixels with at most `longest` bytes."""
    for name, start, length in _places(data):
        if name == b"IDAT":
            return
        if length <= longest:
            yield name, data[start : start + length]


def exif_of(data: bytes) -> bytes | None:
    """The contents of the chunk eXIf, which may come after the pixels."""
    for name, start, length in _places(data):
        if name == b"eXIf":
            return data[start : start + length]
    return None


def _places(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, the place of its contents, and their length."""
    start = 8
    for _ in range(MOST_CHUNKS):
        if start + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, start + 8, length
        start += length + 12


def _profile(primaries: tuple[float, ...] | None, gamma: float | None) -> bytes | None:
    if primaries is None and gamma is None:
        return None
    import imagecodecs

    white, *colorants = np.reshape(primaries or _SRGB_PRIMARIES, (4, 2)).tolist()
    curve = None if gamma is not None else _srgb_curve()
    try:
        profile = bytes(
            imagecodecs.cms_profile(
                "rgb",
                whitepoint=[*white, 1.0],
                primaries=[value for x, y in colorants for value in (x, y, 1.0)],
                gamma=gamma,
                transferfunction=curve,
            )
        )
    except (imagecodecs.CmsError, ValueError):
        return None  # colours that no screen has: viewers ignore them too
    return None if is_srgb(profile) else profile


def _srgb_curve() -> npt.NDArray[np.uint16]:
    places = np.linspace(0, 1, 4096)
    light = np.where(places <= 0.04045, places / 12.92, ((places + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.rint(light * 65535), dtype=np.uint16)
