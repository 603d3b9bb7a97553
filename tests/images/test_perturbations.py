"""Perturbation profiles against Pillow's own calls."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from simsearch.errors import ConfigError, UnknownNameError
from simsearch.images.perturbations import (
    DEFINITIONS_VERSION,
    KINDS,
    OPERATIONS,
    PROFILES,
    get_profile,
    perturb,
)
from simsearch.images.suites import OPERATION_NAMES, STUDY_PROFILES, SUITES
from simsearch.settings.config import Config, load_config
from simsearch.settings.shown import settings_text


def picture() -> Image.Image:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 13, 3), dtype=np.uint8))
    return coarse.resize((131, 97), Image.Resampling.BICUBIC)


def made(profile: str, *, reencode_jpeg: bool, seed: int = 71, content: str = "abc") -> Image.Image:
    return perturb(
        picture(),
        get_profile(profile),
        reencode_jpeg=reencode_jpeg,
        seed=seed,
        content_hash=content,
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
        copy = perturb(
            Image.new("RGB", (1, 1), (9, 9, 9)),
            profile,
            reencode_jpeg=True,
            seed=0,
            content_hash="",
        )
        assert copy.mode == "RGB"


def test_a_changed_profile_raises_the_definitions_version() -> None:
    """Stored vectors are found by this version: under one version, vectors of other pixels would mix."""
    digest = hashlib.sha256()
    for profile in STUDY_PROFILES:
        digest.update(np.asarray(made(profile, reencode_jpeg=False)).tobytes())
    assert (DEFINITIONS_VERSION, digest.hexdigest()[:16]) == (1, "232b30a795196f4e")


def test_a_changed_operation_raises_the_definitions_version() -> None:
    digest = hashlib.sha256()
    for name, profile in PROFILES.items():
        # Lettering and JPEG come from libraries whose builds may round differently.
        if profile.severity is not None and not name.startswith(("text", "jpeg")):
            digest.update(np.asarray(made(name, reencode_jpeg=False)).tobytes())
    assert (DEFINITIONS_VERSION, digest.hexdigest()[:16]) == (1, "2940000ee6f02998")


def test_every_operation_has_five_severities_and_a_kind() -> None:
    assert tuple(operation.name for operation in OPERATIONS) == OPERATION_NAMES
    for operation in OPERATIONS:
        assert operation.kind in KINDS
        assert [PROFILES[f"{operation.name}-{s}"].severity for s in range(1, 6)] == [1, 2, 3, 4, 5]
        steps = np.diff(operation.amounts)
        assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize("name", OPERATION_NAMES)
def test_a_copy_follows_from_its_image_profile_and_seed(name: str) -> None:
    first, again = (np.asarray(made(f"{name}-3", reencode_jpeg=False)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    weakest, strongest = (made(f"{name}-{s}", reencode_jpeg=False) for s in (1, 5))
    assert weakest.tobytes() != strongest.tobytes()


@pytest.mark.parametrize("name", ["crop", "rotate", "noise", "text", "frame", "collage", "pad"])
def test_random_choices_differ_between_images_and_seeds(name: str) -> None:
    variants = {
        made(f"{name}-3", reencode_jpeg=False, seed=seed, content=content).tobytes()
        for seed in range(4)
        for content in ("a", "b")
    }
    assert len(variants) > 1


def difference(profile: str) -> float:
    copy = made(profile, reencode_jpeg=False)
    assert copy.size == picture().size
    return float(np.abs(np.asarray(copy, np.float64) - np.asarray(picture())).mean())


@pytest.mark.parametrize(
    "name", ["grey", "contrast", "jpeg", "blur", "noise", "rescale", "posterise", "frame"]
)
def test_a_higher_severity_changes_more(name: str) -> None:
    changes = [difference(f"{name}-{severity}") for severity in range(1, 6)]
    assert changes == sorted(changes)
    assert changes[0] > 0


def test_amounts_mean_what_the_table_says() -> None:
    width, height = picture().size
    crop = made("crop-5", reencode_jpeg=False)
    assert crop.width * crop.height / (width * height) == pytest.approx(0.3, rel=0.05)
    assert made("pad-5", reencode_jpeg=False).size == (
        width + 2 * 66,
        height + 2 * 48,
    )  # halves to even
    collage = made("collage-5", reencode_jpeg=False)
    assert width * height / (collage.width * collage.height) == pytest.approx(0.2, rel=0.05)
    grey = np.asarray(made("grey-5", reencode_jpeg=False))
    assert np.ptp(grey, axis=2).max() == 0
    negative = np.asarray(made("invert-5", reencode_jpeg=False))
    np.testing.assert_array_equal(negative, 255 - np.asarray(picture()))
    assert set(np.unique(np.asarray(made("posterise-5", reencode_jpeg=False)))) <= {0, 128}
    mirrored = np.asarray(made("flip-1", reencode_jpeg=False))
    np.testing.assert_array_equal(mirrored, np.asarray(picture())[:, ::-1])
    flat = Image.new("RGB", (400, 300), (128, 128, 128))
    noisy = perturb(flat, get_profile("noise-1"), reencode_jpeg=False, seed=1, content_hash="")
    assert np.asarray(noisy).std() == pytest.approx(0.08 * 255, rel=0.03)


@pytest.mark.slow
def test_a_scan_of_any_size_and_shape_survives_every_operation() -> None:
    for size in ((30_000, 40), (3, 2000)):
        scan = Image.new("RGB", size, (200, 120, 40))
        for operation in OPERATIONS:
            profile = get_profile(f"{operation.name}-5")
            copy = perturb(scan, profile, reencode_jpeg=True, seed=0, content_hash="x")
            assert (
                max(copy.size) < 20_000
            )  # 8 × 1,024 pixels, on a collage that is 2.24 times as wide


def test_suites_name_registered_profiles() -> None:
    assert SUITES["study-2018"] == STUDY_PROFILES
    for profiles in SUITES.values():
        assert set(profiles) <= set(PROFILES)
        assert len(set(profiles)) == len(profiles)


def test_a_suite_stands_for_its_profiles_and_a_list_for_itself() -> None:
    assert Config().perturbations.profiles == STUDY_PROFILES
    mild = load_config(None, ["perturbations.suite=mild"])
    assert mild.perturbations.profiles == SUITES["mild"]
    own = load_config(None, ["perturbations.profiles=[rotate-3]"])
    assert (own.perturbations.suite, own.perturbations.profiles) == (None, ("rotate-3",))
    none = load_config(None, ["perturbations.profiles=[]"])
    assert none.perturbations.profiles == ()
    assert load_config(None, ["perturbations.suite=null"]).perturbations.profiles == ()


def test_a_suite_and_another_list_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="both given"):
        load_config(None, ["perturbations.suite=mild", "perturbations.profiles=[rotate-3]"])
    with pytest.raises(ConfigError, match=r"perturbations\.suite: .* mild, copy-detection"):
        load_config(None, ["perturbations.suite=harsh"])


@pytest.mark.parametrize("word", ["perturbations.suite=mild", "perturbations.profiles=[flip-1]"])
def test_settings_with_a_suite_are_read_back(word: str, tmp_path: Path) -> None:
    config = load_config(None, [word])
    (tmp_path / "c.yaml").write_text(settings_text(config))
    assert load_config(tmp_path / "c.yaml") == config
