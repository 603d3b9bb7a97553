"""No measured artwork, nor its picture, nor its near-duplicate is ever learned from."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.errors import TrainingError
from simsearch.training.holdout import (
    MIN_ARTWORKS,
    distances_of_nearest_copies,
    distances_of_other_works,
    find_lookalikes,
    find_near_measured,
    hold_out,
)


def _originals(hashes: list[int]) -> pa.Table:
    rows = [
        {"image_id": f"a{n:03}", "artwork_id": f"a{n:03}", "content_hash": f"h{value}"}
        for n, value in enumerate(hashes)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


@pytest.mark.slow
@settings(deadline=None)
@given(
    hashes=st.lists(st.integers(0, 60), min_size=1, max_size=120),
    seed=st.integers(0, 2**16),
)
def test_the_held_out_and_the_learned_from_never_meet(hashes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    measured = random.random(len(hashes)) < 0.2
    near = random.random(len(hashes)) < 0.1
    originals = _originals(hashes)
    allowed = {value for n, value in enumerate(hashes) if not measured[n] and not near[n]} - {
        value for n, value in enumerate(hashes) if measured[n]
    }
    try:
        held = hold_out(originals, measured, near)
    except TrainingError:
        assert len(allowed) < MIN_ARTWORKS
        return
    ids = held.learned_from["artwork_id"].to_pylist()
    places = [int(name[1:]) for name in ids]
    assert not measured[places].any()
    assert not near[places].any()
    learned = held.learned_from["content_hash"].to_pylist()
    assert not set(learned) & {f"h{value}" for n, value in enumerate(hashes) if measured[n]}
    assert len(set(learned)) == len(learned)
    assert ids == sorted(ids)
    assert held.held_out["measured"] == measured.sum()


def test_too_few_to_learn_from_is_one_line() -> None:
    measured = np.ones(40, dtype=bool)
    measured[:10] = False
    with pytest.raises(TrainingError, match=r"^10 artworks are left to learn from.*originals"):
        hold_out(_originals(list(range(40))), measured, np.zeros(40, dtype=bool))


def test_near_is_by_angular_distance_to_any_measured_original() -> None:
    angles = np.array([0.0, 0.1, 0.5, 3.0, 1.6])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) * 7
    measured = np.array([True, False, False, True, False])
    threshold = 2 * np.sin(0.2 / 2)  # the chord of 0.2 radians
    assert find_near_measured(vectors, measured, threshold).tolist() == [0, 1, 0, 0, 0]
    assert not find_near_measured(vectors, np.zeros(5, dtype=bool), threshold).any()


def test_nearest_copies_are_as_far_as_plain_numpy_has_them() -> None:
    originals = np.eye(3, dtype=np.float32)
    copies = np.array([[1, 0.1, 0], [1, 0.5, 0], [0, 1, 0.2]], np.float32)
    owners = np.array([0, 0, 1])
    unit = copies / np.linalg.norm(copies, axis=1, keepdims=True)
    distances = np.linalg.norm(originals[owners] - unit, axis=1)
    expected = [min(distances[:2]), distances[2]]
    assert distances_of_nearest_copies(originals, copies, owners) == pytest.approx(
        expected, rel=1e-5
    )
    assert len(distances_of_nearest_copies(originals, copies[:0], owners[:0])) == 0


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 4, 1500])
def test_other_works_are_as_far_as_the_nearest_by_brute_force(count: int) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(count, 6)).astype(np.float32)
    measured = random.random(count) < 0.1
    measured[0] = True
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    distances = scipy.spatial.distance.cdist(unit, unit)
    expected = np.sort(distances)[measured, 1:31]
    np.testing.assert_allclose(distances_of_other_works(vectors, measured), expected, rtol=1e-4)


@pytest.mark.parametrize("dimension", [3, 500])
def test_equal_vectors_alone_are_near_where_copies_say_nothing(dimension: int) -> None:
    random = np.random.default_rng(2)
    vectors = random.normal(size=(60, dimension)).astype(np.float32)
    vectors[7] = vectors[3] * 5  # the same direction
    vectors[8] = vectors[3] + 1e-3
    measured = np.arange(60) == 3
    hashes = np.arange(60)
    for copies in (np.zeros(0), np.array([2.0]), np.array([np.inf])):
        near = find_lookalikes(vectors, hashes, measured, copies, 0)
        assert np.flatnonzero(near).tolist() == [7]


def test_a_space_that_tells_no_pictures_apart_holds_nothing_out() -> None:
    vectors = np.ones((60, 8), np.float32)
    measured = np.arange(60) < 5
    assert not find_lookalikes(vectors, np.arange(60), measured, np.zeros(5), 0).any()
