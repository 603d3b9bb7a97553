"""The ranks of copies leave near-duplicates out, as scores do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simsearch.features.vectors import unit_rows
from simsearch.indexes.exact import drop_query, exact_search
from simsearch.neighbours.numbering import NumberedImages
from simsearch.reading.copy_ranks import Ranks, rank_copies
from tests.evaluation.test_useless_and_perfect import numbered_of

CONTENTS = [0, 1, 2, 3, 4, 5, 0, 7]  # artworks 0 and 6 show the same file
NEAR = [(1, 2), (3, 4)]  # changed files of one picture
SAME = {(0, 6), (6, 0), (1, 2), (2, 1), (3, 4), (4, 3)}


def ranks_of(numbered: NumberedImages, vectors: np.ndarray, depth: int) -> Ranks:
    units = unit_rows(vectors.astype(np.float32))
    queries = numbered.originals
    listed = drop_query(exact_search(units, units[queries], depth + 1), queries, depth)
    copies = np.stack([queries + 1, queries + 2], axis=1).astype(np.int32)
    index: Any = SimpleNamespace(units=units)
    return rank_copies(listed.items.astype(np.int32), copies, numbered, queries, lambda: index)


@pytest.fixture
def numbered() -> NumberedImages:
    return numbered_of(CONTENTS, len(CONTENTS)).with_near(NEAR)


def test_a_perfect_space_finds_all_copies_of_works_that_share_a_picture(
    numbered: NumberedImages,
) -> None:
    shown = np.repeat([0, 1, 1, 3, 3, 5, 0, 7], 3)
    ranks = ranks_of(numbered, np.eye(8)[shown], depth=2)
    assert np.sort(ranks, axis=1).tolist() == [[1, 2]] * 8


def test_ranks_are_those_of_comparing_all_images_but_near_duplicates(
    numbered: NumberedImages,
) -> None:
    rng = np.random.default_rng(2)
    shown = np.repeat([0, 1, 1, 3, 3, 5, 0, 7], 3)
    vectors = np.eye(8)[shown] + rng.normal(size=(24, 8)) * 0.25
    for depth in (2, 5, 9):
        ranks = ranks_of(numbered, vectors, depth)
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for artwork in range(8):
            gaps = np.linalg.norm(units - units[3 * artwork], axis=1)
            left_out = [3 * artwork] + [
                3 * other + image
                for other in range(8)
                for image in range(3)
                if (artwork, other) in SAME
            ]
            order = [item for item in np.argsort(gaps) if item not in left_out]
            true = [order.index(3 * artwork + image) + 1 for image in (1, 2)]
            assert ranks[artwork].tolist() == [rank if rank <= depth else 0 for rank in true]
