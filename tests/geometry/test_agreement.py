"""Two pictures agree where they show the same, and nowhere else."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from simsearch.geometry.agreement import Agreement, agree
from simsearch.geometry.points import PICTURE_SIZE, Floats, Points, points_of
from simsearch.geometry.relations import Relation, relation_of
from tests.geometry.works import EDITS, Transform, draw, pixels


def points(picture: Image.Image) -> Points:
    return points_of(pixels(picture))


def moved(transform: Transform, corners: Floats) -> Floats:
    homogeneous = np.column_stack([corners, np.ones(len(corners))]) @ transform.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float32)


def corners(size: tuple[int, int]) -> Floats:
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def agreed(first: Points, second: Points) -> Agreement:
    agreement = agree(first, second)
    assert agreement is not None
    return agreement


def test_a_picture_agrees_with_itself_wholly() -> None:
    picture = points(draw(1))
    agreement = agreed(picture, picture)
    np.testing.assert_allclose(agreement.transform, np.eye(3), atol=1e-3)
    assert agreement.inliers > 0.7 * len(picture)
    assert not agreement.mirrored
    assert min(agreement.share_a, agreement.share_b, agreement.coverage) > 0.95
    assert min(agreement.overlap_a, agreement.overlap_b) > 0.99
    assert agreement.likeness > 0.9
    assert agreement.residual < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_the_transform_puts_corners_where_the_edit_did(name: str) -> None:
    edit, work = EDITS[name], draw(2)
    changed = edit.apply(work)
    agreement = agreed(points(work), points(changed))
    assert agreement.mirrored is edit.mirrored
    scale, other = (PICTURE_SIZE / max(size) for size in (work.size, changed.size))
    seen = moved(agreement.transform, corners(work.size) * scale)
    expected = moved(edit.transform, corners(work.size)) * other
    assert np.abs(seen - expected).max() < 2
    assert agreement.coverage > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mirror", "turn", "squeeze"])
def test_swapped_pictures_give_the_inverse(name: str) -> None:
    first, second = points(draw(3)), points(EDITS[name].apply(draw(3)))
    there, back = agreed(first, second), agreed(second, first)
    product = there.transform @ back.transform
    np.testing.assert_allclose(product / product[2, 2], np.eye(3), atol=1e-6)
    assert back.evidence == there.evidence
    np.testing.assert_array_equal(back.places_a, there.places_b)
    np.testing.assert_array_equal(back.outline_b, there.outline_a)
    assert (back.share_a, back.overlap_b) == (there.share_b, there.overlap_a)


@pytest.mark.slow
def test_nothing_is_found_in_noise_and_in_other_works() -> None:
    random = np.random.default_rng(6)
    pictures = [random.integers(0, 256, (200, 256, 3), dtype=np.uint8) for _ in range(5)]
    pictures += [random.integers(0, 256, (25, 32, 3), dtype=np.uint8) for _ in range(3)]
    seen = [points_of(picture) for picture in pictures] + [points(draw(s)) for s in range(10, 15)]
    assert all(picture.sufficient for picture in seen)
    pairs = list(itertools.combinations(seen, 2))
    agreements = [agreement for pair in pairs if (agreement := agree(*pair))]
    assert len(agreements) <= 0.02 * len(pairs)
    assert max((agreement.evidence for agreement in agreements), default=0) < 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crop", "mirror", "turn"])
def test_a_negative_agrees_with_its_picture(name: str) -> None:
    edit, work = EDITS[name], draw(4)
    negative = edit.apply(ImageOps.invert(work.convert("L"))).convert("RGB")
    agreement = agreed(points(work), points(negative))
    assert agreement.negative
    assert agreement.mirrored is edit.mirrored
    assert relation_of(agreement) is Relation.NEGATIVE
    scale, other = (PICTURE_SIZE / max(size) for size in (work.size, negative.size))
    seen = moved(agreement.transform, corners(work.size) * scale)
    assert np.abs(seen - moved(edit.transform, corners(work.size)) * other).max() < 2
    assert agreement.likeness > 0.9
    back = agreed(points(negative), points(work))
    assert (back.negative, back.evidence) == (True, agreement.evidence)
    assert not agreed(points(work), points(edit.apply(work))).negative


def overlap(first: Floats, second: Floats) -> float:
    """Intersection over union of two convex polygons."""
    one_hull, other_hull = (np.asarray(cv2.convexHull(polygon)) for polygon in (first, second))
    area, _ = cv2.intersectConvexConvex(one_hull, other_hull)
    return float(area / (cv2.contourArea(one_hull) + cv2.contourArea(other_hull) - area))


@pytest.mark.slow
def test_a_pasted_detail_is_found_with_its_outline() -> None:
    """A third of one work in another, half to twice as large and turned."""
    random = np.random.default_rng(8)
    overlaps = []
    for seed in range(20, 30):
        source, target = draw(seed), draw(seed + 100)
        zoom, degrees = float(2 ** random.uniform(-1, 1)), float(random.uniform(0, 360))
        part = source.crop((60, 50, 268, 223))
        size = round(part.width * zoom), round(part.height * zoom)
        stamp = part.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
        stamp = stamp.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        target = target.resize((420, 350))
        corner = (target.width - stamp.width) // 2, (target.height - stamp.height) // 2
        target.paste(stamp, corner, stamp)
        agreement = agree(points(source), points(target))
        if agreement is not None:
            scale = PICTURE_SIZE / max(source.size)
            truth = np.array([[60, 50], [268, 50], [268, 223], [60, 223]], np.float32)
            overlaps.append(overlap(agreement.outline_a, truth * np.float32(scale)))
    assert len(overlaps) >= 9
    assert np.median(overlaps) > 0.7
