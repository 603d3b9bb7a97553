"""What is verified to be a near-duplicate counts neither for a space nor against it."""

from __future__ import annotations

import numpy as np
import pytest

from simsearch.features.vectors import unit_rows
from simsearch.neighbours.numbering import NumberedImages
from tests.evaluation.test_useless_and_perfect import all_scores, numbered_of


def beside_near_duplicates() -> tuple[NumberedImages, np.ndarray]:
    """60 artworks with two copies, of which ten show five pictures in changed files and four show two in the
    same file; and how many other images each original is compared with."""
    contents = [*range(56), 10, 11, 12, 13]
    numbered = numbered_of(contents, len(contents)).with_near(
        [(2 * n, 2 * n + 1) for n in range(5)]
    )
    others = np.full(60, 179)
    others[[*range(10), *range(10, 14), *range(56, 60)]] -= 3
    return numbered, others


@pytest.mark.slow
def test_useless_spaces_score_as_chance_does_whatever_near_duplicates_there_are() -> None:
    """One vector for all, and another for each file, as a hash or random numbers would give."""
    numbered, others = beside_near_duplicates()
    expected = {
        metric: {k: float((share / others).mean()) for k, share in shares.items()}
        for metric, shares in (
            ("all recall", {k: k for k in (1, 5, 10)}),
            ("all precision", dict.fromkeys((1, 5, 10), 2)),
        )
    }
    constant, _ = all_scores(numbered, np.full((180, 8), np.float32(8**-0.5)), 60)
    files = numbered.pictures * 3 + numbered.profiles
    drawn = []
    for seed in range(40):
        vectors = np.random.default_rng(seed).normal(size=(180, 16))[files]
        drawn.append(all_scores(numbered, unit_rows(vectors.astype(np.float32)), 60)[0])
    for metric, values in expected.items():
        for k, value in values.items():
            assert constant[f"{metric} {k}"] == pytest.approx(value)
            scores = [own[f"{metric} {k}"] for own in drawn]
            error = np.std(scores) / len(scores) ** 0.5
            assert np.mean(scores) == pytest.approx(value, abs=4 * error)


def test_a_perfect_space_scores_one_beside_near_duplicates() -> None:
    """It gives a picture in a changed file, and all their copies, the vector of that picture."""
    numbered, _ = beside_near_duplicates()
    contents = np.array([int(text) for text in sorted(map(str, range(56)))])[numbered.pictures]
    shown = np.where(contents < 10, contents // 2, contents)
    values, tops = all_scores(numbered, np.eye(60, dtype=np.float32)[shown], 60)
    assert values == pytest.approx(tops)
