"""Relations follow from what was done to a picture."""

from __future__ import annotations

import pytest
from PIL import Image, ImageEnhance

from simsearch.geometry.agreement import Agreement, agree
from simsearch.geometry.points import points_of
from simsearch.geometry.relations import Relation, relation_of
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
