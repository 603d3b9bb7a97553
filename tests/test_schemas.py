"""Image identity."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.images.perturbations import PROFILES
from simsearch.schemas import SEPARATOR, image_id, image_ids

PROFILE_NAMES = st.sampled_from([None, *PROFILES])
# Of the marks and names that ids of images are made from, so that they meet often.
PARTS = st.sampled_from(["-", SEPARATOR, "x", "grayscale", "crop-1", "1", "é"])
ARTWORKS = st.lists(PARTS, min_size=1, max_size=6).map("".join) | st.text(min_size=1)


def test_an_original_is_its_artwork_and_a_copy_names_its_profile() -> None:
    assert image_id("moma-7", None) == "moma-7"
    assert image_id("moma-7", "edge-enhance") == "moma-7--edge-enhance"


def test_an_original_is_never_called_like_a_copy() -> None:
    assert image_id("x--grayscale", None) != image_id("x", "grayscale")


def test_no_profile_is_named_so_that_two_copies_could_meet() -> None:
    assert not any(SEPARATOR in name or name.startswith("-") for name in PROFILES)


@pytest.mark.slow
@given(ARTWORKS, PROFILE_NAMES, PROFILE_NAMES)
def test_an_artwork_called_like_an_image_has_images_of_its_own(
    artwork: str, profile: str | None, other: str | None
) -> None:
    """Ids of images are artworks' ids too, and theirs again: no chain of them leads to one id twice."""
    first = (artwork, profile)
    second = (image_id(*first), other)
    images = {first, second, (image_id(*second), profile)}
    assert len({image_id(*image) for image in images}) == len(images)


@pytest.mark.slow
@given(st.lists(ARTWORKS, max_size=6), PROFILE_NAMES)
def test_ids_of_many_are_those_of_each(artworks: list[str], profile: str | None) -> None:
    column = pa.chunked_array([artworks], pa.string())
    expected = [image_id(artwork, profile) for artwork in artworks]
    assert image_ids(column, profile).to_pylist() == expected
