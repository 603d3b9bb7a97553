"""Joined spaces: the law of their cosines, and what names them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.features.joined import join_vectors
from simsearch.features.space import FeatureSpace
from simsearch.features.vectors import unit_rows
from tests.support.spaces import SPACE

OTHER = replace(
    SPACE, name="other", encoder="resnet152", dimension=7, preprocessing="other", licence="CC0"
)


@given(
    weights=st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=4),
    count=st.integers(1, 6),
    seed=st.integers(0, 2**16),
)
def test_cosine_is_the_weighted_mean_of_the_parts_cosines(
    weights: list[float], count: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    parts = [
        (random.normal(size=(count, width)) * random.uniform(0.01, 100)).astype(np.float32)
        for width in range(2, 2 + len(weights))
    ]
    joined = join_vectors(parts, weights)
    assert joined.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1, atol=1e-5)
    cosines = [unit_rows(rows).astype(np.float64) @ unit_rows(rows).T for rows in parts]
    mean = np.average(cosines, axis=0, weights=weights)
    np.testing.assert_allclose(joined @ joined.T, mean, atol=2e-6)


def test_a_joined_space_is_named_by_what_it_joins_and_how() -> None:
    both = FeatureSpace.joined("both", [(SPACE, 1.0), (OTHER, 0.5)])
    assert both.dimension == SPACE.dimension + OTHER.dimension
    assert both.encoded == (SPACE, OTHER)
    renamed = FeatureSpace.joined("b", [(replace(SPACE, name="s"), 1.0), (OTHER, 0.5)])
    assert renamed.fingerprint == both.fingerprint
    changed = [
        FeatureSpace.joined("both", parts).fingerprint
        for parts in (
            [(SPACE, 1.0), (OTHER, 0.25)],
            [(OTHER, 0.5), (SPACE, 1.0)],
            [(SPACE, 1.0), (replace(OTHER, weights_digest="changed"), 0.5)],
        )
    ]
    assert len({both.fingerprint, *changed}) == 4


def test_it_is_untrained_if_a_part_is_and_names_the_terms_of_all() -> None:
    untrained = replace(OTHER, trained=False, mode="study-2018")
    both = FeatureSpace.joined("both", [(replace(SPACE, licence="BSD"), 1.0), (untrained, 1.0)])
    assert (both.trained, both.mode, both.licence) == (False, "study-2018", "BSD; CC0")


@pytest.mark.parametrize(
    "space", [SPACE, FeatureSpace.joined("both", [(SPACE, 1.0), (OTHER, 2.0)])]
)
def test_it_comes_back_from_json(space: FeatureSpace) -> None:
    assert FeatureSpace.from_json(space.to_json()) == space


def test_a_space_that_joins_nothing_is_described_as_before() -> None:
    assert "parts" not in SPACE.to_json()
