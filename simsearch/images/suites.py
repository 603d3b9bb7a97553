"""Named sets of perturbation profiles: what `perturbations.suite` may say."""

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
    # What reproduction and web use do to an image: every operation at its weakest.
    "mild": tuple(f"{name}-1" for name in OPERATION_NAMES),
    # What someone does who does not want to be found: every operation at middle and full strength.
    "copy-detection": tuple(f"{name}-{level}" for name in OPERATION_NAMES for level in (3, 5)),
}

# What spaces are learned from unless the settings say otherwise: ten of the operations, at a strength
# between those that `copy-detection` measures. The other ten stay unseen.
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
    """A profile's operation, whatever its strength: `blur` of `blur-3`, `sharpen` of `sharpen`."""
    name, _, severity = profile.rpartition("-")
    return name if severity.isdecimal() else profile
