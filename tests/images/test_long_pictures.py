"""Pictures longer than 4:1: changed at the size that networks see, in bounded memory, or refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import functional as transforms

from simsearch.images.limits import ImageError
from simsearch.images.operations import workable
from simsearch.images.perturbations import OPERATIONS, get_profile, perturb
from simsearch.images.preprocessing import STUDY_2018, Preprocessing
from simsearch.images.scaling import used_size
from simsearch.images.thumbnails import SIZES, encode


def strip(width: int, height: int) -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 256, (5, 400, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(4096, 256), (256, 4096), (8192, 100), (1024, 700), (3000, 2000)])
def test_operations_work_at_the_size_that_networks_see(size: tuple[int, int]) -> None:
    assert workable(strip(*size)).size == used_size(*size, 1024)


def test_a_long_picture_stays_as_sharp_as_a_square_one() -> None:
    """An operation that changes nothing must not blur. It once did, as it shrank pictures of 16:1 to 64 rows."""
    picture = strip(4096, 256)
    same = perturb(
        picture, get_profile("flip-1"), reencode_jpeg=False, seed=1, content_hash="a"
    ).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    np.testing.assert_array_equal(STUDY_2018.pixels(same), STUDY_2018.pixels(picture))


@pytest.mark.parametrize("size", [(3700, 40), (41, 3801), (900, 3)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_of_a_long_picture_a_network_sees_torchvisions_pixels(
    size: tuple[int, int], interpolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simsearch.images.preprocessing.LARGEST_RESIZED", 10_000)
    picture = strip(*size)
    shown = Preprocessing(40, 36, interpolation, (0,) * 3, (1,) * 3).pixels(picture)
    mode = transforms.InterpolationMode(interpolation)
    theirs = transforms.center_crop(transforms.resize(picture, [40], mode), [36])
    np.testing.assert_allclose(shown.astype(int), np.asarray(theirs, int), atol=2)


@pytest.mark.slow
def test_the_longest_picture_takes_bounded_memory() -> None:
    """In a process of its own: preprocessing, thumbnails and every operation of a line."""
    program = """
import resource
from PIL import Image
from simsearch.images.perturbations import OPERATIONS, get_profile, perturb
from simsearch.images.preprocessing import STUDY_2018
from simsearch.images.scaling import used_size
from simsearch.images.thumbnails import encode
import simsearch.images.operations as operations
operations._torchvision()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for size in ((150_000, 1), (66_000, 200)):
    assert STUDY_2018.pixels(Image.new("RGB", size)).shape == (224, 224, 3)
    used = Image.new("RGB", used_size(*size, 1024))
    encode(used, 400)
    for operation in OPERATIONS:
        copy = perturb(used, get_profile(operation.name + "-5"), reencode_jpeg=True, seed=1, content_hash="a")
        STUDY_2018.pixels(copy)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 900  # MB; the rotation of 8,192 × 25 pixels is the largest


def test_a_thumbnail_of_a_line_is_a_line() -> None:
    for size in SIZES:
        assert encode(strip(6000, 1), size)[:4] == b"RIFF"


def test_a_copy_too_long_for_jpeg_is_refused_by_name() -> None:
    with pytest.raises(
        ImageError, match=r"sharpen would have 66,000 × 4.*65,500.*perturbations\.side"
    ):
        perturb(
            strip(66_000, 4), get_profile("sharpen"), reencode_jpeg=True, seed=1, content_hash="a"
        )
    assert len(OPERATIONS) == 20
