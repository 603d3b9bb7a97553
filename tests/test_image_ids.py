"""Image identity."""

from hypothesis import given
from hypothesis import strategies as st

from simsearch.image_ids import image_id, split_image_id

PROFILES = frozenset({"grayscale", "edge-enhance"})
known = st.sampled_from(sorted(PROFILES))


@given(artwork_id=st.text(min_size=1), profile=known)
def test_a_copy_id_splits_back_even_if_the_artwork_id_holds_separators(artwork_id: str, profile: str) -> None:
    assert split_image_id(image_id(artwork_id, profile), PROFILES) == (artwork_id, profile)


def test_only_a_known_profile_makes_a_copy() -> None:
    assert split_image_id("moma-7", PROFILES) == ("moma-7", None)
    assert split_image_id("scan--front", PROFILES) == ("scan--front", None)
    assert split_image_id("--grayscale", PROFILES) == ("--grayscale", None)
    assert image_id("moma-7", None) == "moma-7"
