"""Image identity."""

from simsearch.schemas import image_id


def test_an_original_is_its_artwork_and_a_copy_names_its_profile() -> None:
    assert image_id("moma-7", None) == "moma-7"
    assert image_id("moma-7", "edge-enhance") == "moma-7--edge-enhance"
