"""Pictures at the size that is used, against Pillow's own decoding and filters."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.images.perturbations import get_profile, perturb
from simsearch.images.preprocessing import STUDY_2018
from simsearch.images.scaling import used_size
from simsearch.settings.config import Config

SIDE = 256
LENGTHS = st.integers(1, 40_000)


def painting(width: int, height: int, mode: str = "RGB") -> Image.Image:
    random = np.random.default_rng(3)
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (9, 11, channels) if channels > 1 else (9, 11)
    coarse = Image.fromarray(random.integers(0, 256, shape).astype(np.uint8), mode)
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, side: int | None) -> Image.Image:
    return decode(data, max_pixels=10**8, max_bytes=10**8, background="#ffffff", side=side)


@pytest.mark.slow
@given(width=LENGTHS, height=LENGTHS, side=st.integers(256, 4096))
def test_a_size_keeps_its_shape_within_the_side(width: int, height: int, side: int) -> None:
    used = used_size(width, height, side)
    if max(width, height) <= side or used == (width, height):
        assert used == (width, height)
        assert max(used) <= side or (min(used) <= side / 4 and max(used) <= side * 8)
        return
    (long, whole), (short, broad) = sorted(zip(used, (width, height), strict=True))[::-1]
    assert long in (side, side * 8) or short == side // 4 or abs(short - side / 4) <= 0.5
    assert max(used) <= side * 8
    assert long == side * 8 or min(short, broad) >= min(side // 4, broad)
    if short == 1:  # of a line
        return
    rounding = 0.5 / whole + 0.5 / broad
    assert long / whole == pytest.approx(short / broad, abs=rounding * (1 + 1e-9))


def test_full_size_is_kept_where_no_side_is_given() -> None:
    assert used_size(9000, 7000, None) == (9000, 7000)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_a_small_picture_keeps_its_pixels(kind: str) -> None:
    data = saved(painting(SIDE, 190), kind)
    np.testing.assert_array_equal(decoded(data, SIDE), decoded(data, None))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_picture_is_scaled_by_pillows_own_filter(mode: str) -> None:
    image = painting(1500, 1000, mode)
    resized = image.resize((256, 171), Image.Resampling.BICUBIC, reducing_gap=2.0)
    data = saved(image, "TIFF")
    np.testing.assert_array_equal(decoded(data, SIDE), resized.convert("RGB"))


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_picture_of_16_bits_is_scaled_as_one_of_8(kind: str) -> None:
    """Averaged by 7, its sides of 900 and 700 pixels end within a block and at the end of one."""
    image = painting(900, 700)
    levels, buffer = np.asarray(image).astype(np.uint16) * 257, io.BytesIO()
    if kind == "png":
        buffer.write(imagecodecs.png_encode(levels))
    else:
        tifffile.imwrite(buffer, levels, photometric="rgb")
    expected = decoded(saved(image, "PNG"), 64)
    small = decoded(buffer.getvalue(), 64)
    difference = np.asarray(small, float) - np.asarray(expected, float)
    assert np.abs(difference).max() <= 1


def test_a_jpeg_is_scaled_while_it_is_decoded_and_looks_the_same() -> None:
    data = saved(painting(1500, 1000), "JPEG", quality=92)
    small = decoded(data, SIDE)
    pillows = Image.open(io.BytesIO(data))
    pillows.draft("RGB", (256, 171))
    assert pillows.size == (375, 250)  # a quarter of each side was decoded
    expected = pillows.resize((256, 171), Image.Resampling.BICUBIC, reducing_gap=2.0)
    np.testing.assert_array_equal(small, expected)
    whole = decoded(data, None).resize(small.size, Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small, float) - np.asarray(whole, float)).mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_scan_that_lies_on_its_side_is_turned(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    image = painting(1500, 1000)
    small = decoded(saved(image, kind, exif=exif), SIDE)
    upright = decoded(saved(image, kind), SIDE).transpose(Image.Transpose.ROTATE_270)
    assert small.size == (171, 256)
    # Rows and columns are filtered in the other order, and rounded in between.
    np.testing.assert_allclose(np.asarray(small, int), np.asarray(upright, int), atol=2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["P", "1", "keyed"])
def test_what_is_not_a_colour_is_made_one_before_it_is_mixed(mode: str) -> None:
    image, options = painting(1500, 1000), {}
    if mode == "keyed":
        options = {"transparency": image.getpixel((10, 10))}
    else:
        image = image.convert(mode)
    data = saved(image, "PNG", **options)
    resized = decoded(data, None).resize((256, 171), Image.Resampling.BICUBIC, reducing_gap=2.0)
    np.testing.assert_array_equal(decoded(data, SIDE), resized)


def test_all_copies_of_a_scan_are_made_of_its_scaled_original() -> None:
    data = saved(painting(1500, 1000), "JPEG")
    remake = Config.model_validate({"perturbations": {"side": SIDE}}).remake()
    original = remake.original(data)
    np.testing.assert_array_equal(original, decoded(data, SIDE))
    copy = perturb(
        original,
        get_profile("sharpen"),
        reencode_jpeg=True,
        seed=71,
        content_hash=content_hash(data),
    )
    np.testing.assert_array_equal(remake.image(data, "sharpen", content_hash(data)), copy)


@pytest.mark.slow
def test_a_network_sees_that_a_large_scan_was_sharpened() -> None:
    """At full size the change is lost when the picture is scaled down for the network."""
    data = saved(painting(3000, 2000), "PNG")
    seen = {}
    for side in (None, SIDE):
        remake = Config.model_validate({"perturbations": {"side": side}}).remake()
        images = [remake.image(data, profile, "") for profile in (None, "sharpen")]
        plain, sharper = (STUDY_2018.pixels(image).astype(float) for image in images)
        seen[side] = np.abs(plain - sharper).mean()
    assert seen[SIDE] > 2 * seen[None]


def test_full_size_is_described_as_it_always_was() -> None:
    """Fingerprints are computed from these words, and stored vectors are found by fingerprint."""
    described = {
        side: Config.model_validate({"perturbations": {"side": side}}).remake().described
        for side in (None, 1024)
    }
    assert described[None] == "definitions 1, re-encoded as JPEG, seed 71"
    assert described[1024] == f"{described[None]}, pictures of at most 1024 pixels a side"
