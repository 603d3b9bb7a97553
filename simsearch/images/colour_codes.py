"""Colour spaces by the numbers of ITU-T H.273, with which PNG, AVIF and HEIF name primaries and curves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simsearch.images.limits import ImageError
from simsearch.images.profiles import is_srgb

SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # white, red, green, blue: x, y
_PRIMARIES: dict[int, tuple[float, ...] | None] = {  # None: as sRGB
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


def refuse_high_dynamic_range(curve: int, file: str) -> None:
    """Raises ImageError for a high dynamic range, which has no agreed look on an ordinary screen. `file` is
    the kind of the file with its article."""
    if curve in _HIGH_DYNAMIC_RANGE:
        name = _HIGH_DYNAMIC_RANGE[curve]
        raise ImageError("unsupported", f"{file} of high dynamic range ({name})")


def is_known(primaries: int, curve: int) -> bool:
    """Whether `profile_of_codes` has a profile for these numbers."""
    return primaries in _PRIMARIES and curve in _GAMMAS


def profile_of_codes(primaries: int, curve: int) -> bytes | None:
    """The profile of a colour space by its numbers. None for sRGB."""
    return profile_of(_PRIMARIES[primaries], _GAMMAS[curve])


def profile_of(primaries: tuple[float, ...] | None, gamma: float | None) -> bytes | None:
    """The profile of a colour space by its white and primaries and its gamma (None: as sRGB). None for
    sRGB, and for colours that no screen has: viewers ignore them too."""
    if primaries is None and gamma is None:
        return None
    import imagecodecs

    white, *colorants = np.reshape(primaries or SRGB_PRIMARIES, (4, 2)).tolist()
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
        return None
    return None if is_srgb(profile) else profile


def _srgb_curve() -> npt.NDArray[np.uint16]:
    places = np.linspace(0, 1, 4096)
    light = np.where(places <= 0.04045, places / 12.92, ((places + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.rint(light * 65535), dtype=np.uint16)
