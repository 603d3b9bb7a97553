"""Exact search where each query has a crowd of items that float32 cosines do not tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simsearch.features.vectors import unit_rows
from simsearch.indexes import exact

RANDOM = np.random.default_rng(4)
FEATURES = RANDOM.normal(size=(300, 24))
CROWDED = {
    "constant": np.ones((300, 24)),
    "constant but for rounding": 1 + 1e-7 * FEATURES,
    "about as far as rounding": 1 + 4e-7 * FEATURES,
    "nearly constant": 1 + 1e-6 * FEATURES,
    "a large common offset": 1000 + FEATURES,
    "zero": np.zeros((300, 24)),
    "zero and others": np.where(np.arange(300)[:, None] % 2, 0, 1000 + FEATURES),
    "few values": np.sign(FEATURES[:, :3]),
    "orthogonal": np.eye(300)[:, np.argsort(RANDOM.random(300))],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CROWDED)
def test_spaces_that_crowd_have_the_neighbours_of_all_compared_with_all(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = unit_rows(CROWDED[name].astype(np.float32))
    monkeypatch.setattr(exact, "FINE_ITEMS", 250)
    squared = exact._squared_distances(
        units, np.tile(np.arange(300), 300), units, np.repeat(np.arange(300), 300)
    ).reshape(300, 300)
    expected = np.argsort(squared, axis=1, kind="stable")[:, :30]
    items, distances = exact.nearest(units, units, 30)
    np.testing.assert_array_equal(items, expected)
    np.testing.assert_array_equal(distances, np.take_along_axis(squared, expected, axis=1))


@pytest.mark.parametrize("name", ["constant", "constant but for rounding", "a large common offset"])
def test_a_crowd_of_all_items_is_not_compared_pair_by_pair(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = unit_rows(CROWDED[name].astype(np.float32))
    compared: list[int] = []
    compare = exact._squared_distances

    def counted(*args: Any) -> Any:
        compared.append(len(args[1]))
        return compare(*args)

    monkeypatch.setattr(exact, "_squared_distances", counted)
    exact.nearest(units, units, 30)
    assert sum(compared) <= 300 * (38 + 60)
