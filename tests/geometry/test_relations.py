"""Relations follow from what was done to a picture."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance

from simsearch.geometry.agreement import Agreement, agree
from simsearch.geometry.points import points_of
from simsearch.geometry.relations import Relation, relation_of
from simsearch.schemas import OTHER_PICTURES
from tests.geometry.works import EDITS, HEIGHT, WIDTH, draw, pixels

WORK = draw(5)


def compare(other: Image.Image) -> Agreement:
    agreement = agree(points_of(pixels(WORK)), points_of(pixels(other)))
    assert agreement is not None
    return agreement


def pasted() -> Image.Image:
    """Another work with a fifth of this one in it."""
    other = draw(77)
    other.paste(WORK.crop((90, 70, 250, 210)), (150, 20))
    return other


@pytest.mark.parametrize(
    ("other", "relation"),
    [
        (WORK.convert("L").convert("RGB").resize((240, 200)), Relation.SAME_PICTURE),
        (ImageEnhance.Brightness(WORK).enhance(0.6), Relation.SAME_PICTURE),
        (EDITS["crop"].apply(WORK), Relation.EDITED),
        (EDITS["turn"].apply(WORK), Relation.EDITED),
        (EDITS["squeeze"].apply(WORK), Relation.EDITED),
        (EDITS["mirror"].apply(WORK), Relation.MIRRORED),
        (WORK.crop((120, 90, 290, 240)), Relation.HAS_DETAIL),
        (pasted(), Relation.SHARED_DETAIL),
        (draw(5, wobble=2.5), Relation.VERSION),
    ],
)
def test_a_relation_follows_from_the_edit(other: Image.Image, relation: Relation) -> None:
    assert relation_of(compare(other)) is relation


def test_a_detail_is_one_from_either_side() -> None:
    agreement = compare(WORK.crop((WIDTH // 2, HEIGHT // 2, WIDTH, HEIGHT)))
    assert relation_of(agreement) is Relation.HAS_DETAIL
    assert relation_of(agreement.swapped()) is Relation.DETAIL_OF


def framed(inside: Image.Image, frame: Image.Image = WORK, wide: int = 54) -> Image.Image:
    """A frame of so many pixels with a picture in it; at 54 the inside is 45 % of the whole."""
    picture = frame.copy()
    picture.paste(inside.crop((wide, wide, WIDTH - wide, HEIGHT - wide)), (wide, wide))
    return picture


def patched(patch: Image.Image, share: float) -> Image.Image:
    """The work with a part in its middle, a share of its area, replaced."""
    picture, side = WORK.copy(), share**0.5
    width, height = round(WIDTH * side), round(HEIGHT * side)
    corner = (WIDTH - width) // 2, (HEIGHT - height) // 2
    picture.paste(patch.resize((width, height)), corner)
    return picture


@pytest.mark.parametrize("content", range(80, 84))
@pytest.mark.parametrize(
    "photograph",
    [
        lambda picture: picture,
        lambda picture: picture.convert("L").convert("RGB").resize((250, 210)),
        EDITS["mirror"].apply,
        lambda picture: picture.crop((15, 12, 350, 290)),
    ],
    ids=["as it is", "grey and small", "mirrored", "cropped"],
)
def test_one_frame_with_other_things_in_it_is_no_picture_twice(
    photograph: Callable[[Image.Image], Image.Image], content: int
) -> None:
    agreement = compare(photograph(framed(draw(content))))
    assert relation_of(agreement) is Relation.ONE_FRAME
    assert relation_of(agreement.swapped()) is Relation.ONE_FRAME
    assert Relation.ONE_FRAME.value in OTHER_PICTURES


@pytest.mark.parametrize(
    "other",
    [
        patched(Image.new("RGB", (9, 9), (128, 120, 110)), 0.3),
        patched(draw(90), 0.2),
        framed(WORK, draw(91), wide=25),
        framed(ImageEnhance.Brightness(WORK).enhance(0.5)),
    ],
    ids=["a hole in the middle", "overpainted", "another frame", "darkened inside"],
)
def test_one_picture_with_a_damaged_part_stays_one_picture(other: Image.Image) -> None:
    assert relation_of(compare(other)) not in (Relation.ONE_FRAME, Relation.SHARED_DETAIL)
