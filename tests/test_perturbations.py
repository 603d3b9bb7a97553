"""Perturbation profiles against Pillow's own calls."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from simsearch.config import STUDY_PROFILES
from simsearch.errors import UnknownNameError
from simsearch.perturbations import DEFINITIONS_VERSION, PROFILES, get_profile, perturb


def picture() -> Image.Image:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 13, 3), dtype=np.uint8))
    return coarse.resize((131, 97), Image.Resampling.BICUBIC)


def made(profile: str, *, reencode_jpeg: bool) -> Image.Image:
    return perturb(
        picture(), get_profile(profile), reencode_jpeg=reencode_jpeg, seed=71, content_hash="abc"
    )


PILLOWS_OWN: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grayscale": lambda image: image.convert("L"),
    "downscale": lambda image: image.resize((104, 77)),
    "sharpen": lambda image: image.filter(ImageFilter.SHARPEN),
    "edge-enhance": lambda image: image.filter(ImageFilter.EDGE_ENHANCE_MORE),
    "desaturate": lambda image: ImageEnhance.Color(image).enhance(0.5),
}


@pytest.mark.parametrize("profile", STUDY_PROFILES)
def test_a_profile_is_pillows_own_filter(profile: str) -> None:
    expected = PILLOWS_OWN[profile](picture())
    np.testing.assert_array_equal(made(profile, reencode_jpeg=False), expected.convert("RGB"))


@pytest.mark.parametrize("profile", STUDY_PROFILES)
def test_a_copy_is_saved_as_jpeg_at_pillows_default_quality_and_read_again(profile: str) -> None:
    buffer = io.BytesIO()
    PILLOWS_OWN[profile](picture()).save(buffer, "JPEG")
    expected = Image.open(buffer).convert("RGB")
    np.testing.assert_array_equal(made(profile, reencode_jpeg=True), expected)
    assert np.any(np.asarray(expected) != np.asarray(made(profile, reencode_jpeg=False)))


def test_the_study_has_five_profiles_in_the_registry() -> None:
    assert set(STUDY_PROFILES) <= set(PROFILES)
    assert all(name == profile.name for name, profile in PROFILES.items())


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no perturbation profile named 'blurry'; known: .*sharpen"
    ):
        get_profile("blurry")


def test_the_smallest_image_survives_every_profile() -> None:
    for profile in PROFILES.values():
        found = perturb(
            Image.new("RGB", (1, 1), (9, 9, 9)),
            profile,
            reencode_jpeg=True,
            seed=0,
            content_hash="",
        )
        assert found.mode == "RGB"


def test_a_changed_profile_raises_the_definitions_version() -> None:
    """Stored vectors are found by this version: other pixels under the same version would mix."""
    digest = hashlib.sha256()
    for profile in STUDY_PROFILES:
        digest.update(np.asarray(made(profile, reencode_jpeg=False)).tobytes())
    assert (DEFINITIONS_VERSION, digest.hexdigest()[:16]) == (1, "232b30a795196f4e")
