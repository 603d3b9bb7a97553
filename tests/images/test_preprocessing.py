"""Preprocessing: the same pixels as torchvision's own transforms, for images of any shape."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from simsearch.images.preprocessing import Fit, Preprocessing


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    resize=st.integers(8, 80),
    margin=st.integers(0, 7),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    seed=st.integers(0, 2**16),
)
def test_pixels_are_torchvisions(
    width: int, height: int, resize: int, margin: int, interpolation: str, seed: int
) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    crop = resize - margin
    mine = Preprocessing(resize, crop, interpolation, (0.0,) * 3, (1.0,) * 3).pixels(image)
    theirs = transforms.resize(image, [resize], InterpolationMode(interpolation))
    np.testing.assert_array_equal(mine, np.asarray(transforms.center_crop(theirs, [crop])))


@pytest.mark.slow
def test_the_processes_that_decode_write_and_index_need_no_pytorch() -> None:
    program = (
        "import sys, simsearch.extraction.decode, simsearch.runtime.progress, simsearch.neighbours.building, "
        "simsearch.evaluation.evaluate; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(60, 250), st.integers(60, 250)),
    fit=st.sampled_from(["crop", "square", "pad"]),
    resize=st.integers(64, 100),
)
def test_the_window_is_the_part_of_the_picture_that_is_shown(
    size: tuple[int, int], fit: Fit, resize: int
) -> None:
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    picture = Image.fromarray(np.stack([columns, rows, columns], axis=2).astype(np.uint8))
    shown = Preprocessing(resize, 64, "bilinear", (0,) * 3, (1,) * 3, fit, (255, 255, 255))
    pixels = shown.pixels(picture)[..., :2].astype(float)
    left, top, right, bottom = shown.window(*size)
    for axis, (first, last) in enumerate(((left, right), (top, bottom))):
        places = first + (np.arange(64) + 0.5) / 64 * (last - first)
        inside = (places > 0.04) & (places < 0.96)  # beyond lies the filling, and edges are rounded
        line = pixels[32, :, 0] if axis == 0 else pixels[:, 32, 1]
        np.testing.assert_allclose(
            (line[inside] + 0.5) / size[axis], places[inside], atol=2.5 / size[axis] + 1 / resize
        )
