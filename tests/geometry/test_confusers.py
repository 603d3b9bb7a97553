"""What an archive puts on all its pictures is found and masked; copies of one picture are not."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image

from simsearch.geometry.agreement import agree
from simsearch.geometry.confusers import Pair, find_confusers, without_confusers
from simsearch.geometry.points import Points, points_of
from tests.geometry.works import draw, pixels


def labelled(seed: int) -> Image.Image:
    """Another work in another format, with the archive's label in the lower right corner."""
    work = draw(seed, size=(320 - 4 * (seed % 5), 320))
    label = draw(999, size=(160, 100))
    work.paste(label, (work.width - 170, work.height - 110))
    return work


def pairs_of(pictures: list[Points]) -> list[Pair]:
    return [
        Pair(a, b, agreement)
        for a, b in itertools.combinations(range(len(pictures)), 2)
        if (agreement := agree(pictures[a], pictures[b])) is not None
    ]


@pytest.mark.slow
def test_a_label_is_listed_once_and_masked() -> None:
    pictures = [points_of(pixels(labelled(seed))) for seed in range(60, 66)]
    pairs = pairs_of(pictures)
    assert len(pairs) > 10
    confusers = find_confusers(pairs)
    assert [confuser.works for confuser in confusers] == [tuple(range(6))]
    for picture, (left, top, width, height) in zip(pictures, confusers[0].boxes, strict=True):
        scale = 256 / 320  # the label lies 170 pixels from the right and 110 from the bottom
        assert left > picture.width - 170 * scale - 8
        assert top > picture.height - 110 * scale - 8
        assert left + width <= picture.width - 10 * scale + 8
        assert top + height <= picture.height - 10 * scale + 8
        assert width * height > 0.4 * 160 * 100 * scale**2
    masked = [without_confusers(picture, confusers) for picture in pictures]
    assert all(
        len(after) > 0.4 * len(before) for after, before in zip(masked, pictures, strict=True)
    )
    assert max((pair.agreement.evidence for pair in pairs_of(masked)), default=0) < 2


@pytest.mark.slow
def test_copies_of_a_picture_and_a_pair_of_works_are_no_confuser() -> None:
    work = draw(70)
    copies = [points_of(pixels(work.resize((300 - 5 * n, 250 - 4 * n)))) for n in range(6)]
    assert find_confusers(pairs_of(copies)) == []
    two = [points_of(pixels(labelled(seed))) for seed in (60, 61)]
    assert find_confusers(pairs_of(two)) == []
