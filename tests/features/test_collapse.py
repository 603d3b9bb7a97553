"""Spaces that tell pictures apart, and spaces that do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.features.collapse import Spread, find_collapsed, spread_of, spread_rows
from simsearch.features.vectors import unit_rows
from simsearch.indexes.exact import exact_search
from simsearch.neighbours.spreads import _copies_apart

RANDOM = np.random.default_rng(7)
N, D = 200, 32
FEATURES = RANDOM.normal(size=(N, D))
ONE = np.ones((N, D))
LEVELS = RANDOM.uniform(0.2, 2, (N, 1))

USELESS = {
    "constant": (ONE, "share their vector"),
    "zero": (ONE * 0, "zero"),
    "one direction, many lengths": (LEVELS * FEATURES[0], "share their vector"),
    "one direction and noise": (ONE + 1e-3 * FEATURES, "one direction"),
    "one direction either way": (np.sign(LEVELS - 1) * ONE, "share their vector"),
    "a line": (ONE + LEVELS * FEATURES[0] * 0.1, "one line"),
    "a few values": (np.sign(FEATURES[:, :3]), "share their vector"),
    "half of them one": (
        np.where(np.arange(N)[:, None] < N // 2, 1, FEATURES),
        "share their vector",
    ),
}
USEFUL = {
    "random": FEATURES,
    "all positive": np.abs(FEATURES),
    "much in common": 5 + FEATURES,
    "few dimensions": FEATURES[:, :3],
    "rounded": np.round(FEATURES, 1),
    "each picture in two files": FEATURES[np.arange(N) // 2],
    "a tenth without a picture": np.where(np.arange(N)[:, None] < N // 10, 1, FEATURES),
    "two pictures": FEATURES[:2],
    "one picture": ONE[:1],
    "none": ONE[:0],
}


def spread(vectors: np.ndarray) -> Spread:
    return spread_of(vectors.astype(np.float32), np.arange(len(vectors)), 0)


@pytest.mark.parametrize("name", USELESS)
def test_a_space_that_tells_no_pictures_apart_is_named_with_its_reason(name: str) -> None:
    vectors, reason = USELESS[name]
    assert reason in spread(vectors).collapsed


@pytest.mark.parametrize("name", USEFUL)
def test_a_space_that_tells_pictures_apart_is_not_called_collapsed(name: str) -> None:
    assert spread(USEFUL[name]).collapsed == ""


@pytest.mark.parametrize("common", [30, 1000, 30_000])
def test_copies_tell_a_large_common_part_from_noise(common: float) -> None:
    """Beside a common part search finds the right neighbours. Noise drawn anew for each file says nothing,
    and none of its copies is nearer than another picture."""
    random = np.random.default_rng(3)
    vectors = (common + FEATURES).astype(np.float32)
    units = unit_rows(vectors)
    others = exact_search(units, units, 2).distances[:, 1:].astype(np.float64)
    for moved, named in ((FEATURES + 0.1 * random.normal(size=(N, D)), False), (None, True)):
        drawn = random.normal(size=(N, D)) if moved is None else moved
        copies = unit_rows((common + drawn).astype(np.float32)).astype(np.float64) - units
        share = _copies_apart(np.linalg.norm(copies, axis=1), others)
        measured = spread_of(vectors, np.arange(N), 0, unmoved=0.0, copies_apart=share)
        assert ("one direction" in measured.collapsed) == (named and common > 30)
        assert find_collapsed(spread_rows({"a": measured})) == (
            {"a": measured.collapsed} if measured.collapsed else {}
        )


def test_artworks_that_show_the_same_file_are_one_picture() -> None:
    vectors = np.repeat(FEATURES[:4], 50, axis=0).astype(np.float32)
    assert spread_of(vectors, np.arange(N) // 50, 0).collapsed == ""
    assert spread_of(vectors, np.arange(N), 0).collapsed != ""
    # Copies that move say that other files show the same picture, too, where some pictures have one.
    some = np.concatenate([vectors[:150], FEATURES[150:]]).astype(np.float32)
    assert spread_of(some, np.arange(N), 0).collapsed != ""
    assert spread_of(some, np.arange(N), 0, unmoved=0.01).collapsed == ""


@pytest.mark.parametrize("vectors", [1, 2, 3, 10, 40])
def test_few_vectors_for_all_originals_are_collapsed_however_copies_move(vectors: int) -> None:
    few = FEATURES[np.arange(N) % vectors].astype(np.float32)
    assert "share their vector" in spread_of(few, np.arange(N), 0, unmoved=0.0).collapsed


def test_half_of_the_pictures_on_a_line_are_no_excuse_for_the_others() -> None:
    line = ONE + LEVELS * FEATURES[0] * 0.1
    line[: N // 2 + 20] = ONE[0] + 0.1 * FEATURES[0]
    assert "direction" in spread_of(line.astype(np.float32), np.arange(N), 0, unmoved=0.0).collapsed


@pytest.mark.slow
@given(count=st.integers(2, 30), dimension=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_measures_are_those_of_plain_numpy(count: int, dimension: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).integers(-2, 3, (count, dimension)).astype(np.float32)
    measured = spread(vectors)
    kept = vectors[vectors.any(axis=1)].astype(np.float64)
    assert measured.zero == pytest.approx(1 - len(kept) / count)
    if not len(kept):
        return
    units = kept / np.linalg.norm(kept, axis=1)[:, None]
    alike = (np.linalg.norm(units[:, None] - units, axis=2) < 1e-6).sum(axis=1) - 1
    assert measured.shared == pytest.approx((alike >= min(2, max(1, len(kept) - 1))).sum() / count)
    for matrix, rank in (
        (units, measured.directions),
        (units - units.mean(axis=0), measured.lines),
    ):
        weights = np.linalg.svd(matrix, compute_uv=False) ** 2
        weights = weights[weights > 1e-12]
        shares = weights / max(weights.sum(), 1e-300)
        entropy = np.exp(-(shares * np.log(shares)).sum()) if len(weights) else 0.0
        assert rank == pytest.approx(entropy, abs=1e-4)
