"""Points are the same for the same pixels, few enough, and safe to read back."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest

from simsearch.geometry.agreement import agree
from simsearch.geometry.matching import light_and_dark_exchanged, turned_over
from simsearch.geometry.points import (
    MAX_BYTES,
    MAX_POINTS,
    PICTURE_SIZE,
    Points,
    PointsError,
    points_of,
)
from tests.geometry.works import draw, pixels


def same(first: Points, second: Points) -> bool:
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name))
        for field in fields(Points)
    )


def test_the_most_points_fit_into_the_bytes_and_come_back_as_they_were() -> None:
    coarse = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    points = points_of(np.kron(coarse, np.ones((5, 5, 1), np.uint8)))
    assert len(points) == MAX_POINTS
    stored = points.to_bytes()
    assert len(stored) <= MAX_BYTES
    assert same(Points.from_bytes(stored), points)
    assert (points.width, points.height) == (PICTURE_SIZE, PICTURE_SIZE)


def test_threads_do_not_change_points() -> None:
    picture = pixels(draw(1))
    before = points_of(picture).to_bytes()
    cv2.setNumThreads(4)
    assert points_of(picture).to_bytes() == before


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (40, 40), (200, 300)])
def test_a_picture_of_one_colour_has_no_points_and_says_so(shape: tuple[int, int]) -> None:
    points = points_of(np.full((*shape, 3), 90, np.uint8))
    assert len(points) == 0
    assert not points.sufficient
    assert same(Points.from_bytes(points.to_bytes()), points)
    assert agree(points, points) is None


def test_points_lie_where_the_corners_are() -> None:
    """A bright square of 40 pixels in a picture of 256: each corner has a point within its reach."""
    picture = np.full((256, 256, 3), 20, np.uint8)
    picture[100:140, 60:100] = 230
    points = points_of(picture)
    for corner in ((60, 100), (100, 100), (100, 140), (60, 140)):
        assert np.abs(points.positions - corner).max(1).min() < 4


def test_a_mirror_image_needs_no_pixels() -> None:
    picture = pixels(draw(2))
    turned = turned_over(points_of(picture))
    mirrored = points_of(np.ascontiguousarray(picture[:, ::-1]))
    distances = np.abs(turned.positions[:, None] - mirrored.positions).max(2)
    turns = np.abs((turned.angles[:, None] - mirrored.angles + 180) % 360 - 180)
    nearest = np.where(turns < 5, distances, np.inf).argmin(1)
    near = distances[np.arange(len(nearest)), nearest] < 0.5
    assert near.mean() > 0.9
    difference = turned.descriptors.astype(int) - mirrored.descriptors[nearest]
    assert np.median(np.abs(difference[near]).max(1)) <= 8


def test_a_negative_needs_no_pixels() -> None:
    picture = np.stack([pixels(draw(2).convert("L"))] * 3, axis=2)
    exchanged, negative = light_and_dark_exchanged(points_of(picture)), points_of(255 - picture)
    distances = np.abs(exchanged.positions[:, None] - negative.positions).max(2)
    turns = np.abs((exchanged.angles[:, None] - negative.angles + 180) % 360 - 180)
    nearest = np.where(turns < 5, distances, np.inf).argmin(1)
    near = distances[np.arange(len(nearest)), nearest] < 0.5
    assert near.mean() > 0.9
    difference = exchanged.descriptors.astype(int) - negative.descriptors[nearest]
    assert np.median(np.abs(difference[near]).max(1)) <= 8
    assert np.abs(exchanged.thumbnail.astype(int) - negative.thumbnail).max() <= 1


def test_other_bytes_are_refused() -> None:
    stored = points_of(pixels(draw(3))).to_bytes()
    for length in (0, 3, 9, 10, 11, len(stored) - 1):
        with pytest.raises(PointsError):
            Points.from_bytes(stored[:length])
    with pytest.raises(PointsError):
        Points.from_bytes(stored + b"\0")
    with pytest.raises(PointsError):
        Points.from_bytes(bytes(2 * MAX_BYTES))


@pytest.mark.slow
def test_damaged_bytes_are_refused_or_give_points_within_the_picture() -> None:
    whole = points_of(pixels(draw(4)))
    random = np.random.default_rng(5)
    read = 0
    for _ in range(30):
        data = np.frombuffer(whole.to_bytes(), np.uint8).copy()
        places = random.integers(0, len(data), 40)
        data[places] = random.integers(0, 256, 40)
        try:
            points = Points.from_bytes(data.tobytes())
        except PointsError:
            continue
        read += 1
        assert (points.positions <= (points.width, points.height)).all()
        agree(points, whole)
    assert read < 30
