"""Named sets of perturbation profiles: the values of `perturbations.suite`."""

from __future__ import annotations

STUDY_PROFILES = ("grayscale", "downscale", "sharpen", "edge-enhance", "desaturate")

OPERATION_NAMES = (
    "crop",
    "rotate",
    "flip",
    "perspective",
    "pad",
    "aspect",
    "brightness",
    "contrast",
    "hue",
    "grey",
    "gamma",
    "invert",
    "jpeg",
    "blur",
    "noise",
    "rescale",
    "posterise",
    "text",
    "frame",
    "collage",
)

SUITES: dict[str, tuple[str, ...]] = {
    # The five of the 2018 study.
    "study-2018": STUDY_PROFILES,
    # The changes of reproduction and web use: every operation at its weakest.
    "mild": tuple(f"{name}-1" for name in OPERATION_NAMES),
    # The changes by someone who wants to hide a copy: every operation at middle and full strength.
    "copy-detection": tuple(f"{name}-{level}" for name in OPERATION_NAMES for level in (3, 5)),
}

# The default profiles to learn spaces from: ten of the operations, at a strength between those that
# `copy-detection` measures. Learned spaces do not see the other ten.
TRAINING_PROFILES = tuple(
    f"{name}-4"
    for name in (
        "crop",
        "rotate",
        "perspective",
        "aspect",
        "brightness",
        "contrast",
        "grey",
        "jpeg",
        "blur",
        "noise",
    )
)


def operation_of(profile: str) -> str:
    """The operation of a profile without its strength: `blur` for `blur-3`, `sharpen` for `sharpen`."""
    name, _, severity = profile.rpartition("-")
    return name if severity.isdecimal() else profile
