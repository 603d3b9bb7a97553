"""Which pairs of pictures are compared: those that brute force finds nearest, however many files show one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.features.vectors import unit_rows
from simsearch.neighbours.candidates import nearest_pictures, pair_codes
from simsearch.neighbours.joined import joined_pairs
from simsearch.neighbours.lists import search_lists
from simsearch.neighbours.numbering import NumberedImages


@pytest.mark.slow
@given(
    pictures=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    k=st.integers(1, 4),
    depth=st.integers(1, 6),
)
def test_candidates_are_the_nearest_other_pictures_by_brute_force(
    pictures: list[int], k: int, depth: int
) -> None:
    """Lists of any depth, also such that hold the files of one picture alone."""
    rows = [
        {"image_id": f"{n:02}", "artwork_id": f"{n:02}", "profile": None, "content_hash": str(p)}
        for n, p in enumerate(pictures)
    ]
    numbered = NumberedImages.of(pa.Table.from_pylist(rows, schema=schemas.IMAGES), ())
    count = len(set(pictures))
    points = unit_rows(np.random.default_rng(1).normal(size=(count, 4)).astype(np.float32))
    units = points[numbered.pictures]
    depth = min(depth, max(1, len(pictures) - 1))
    everything = np.arange(len(pictures))
    lists = search_lists(units, everything, everything, depth).first(depth)
    codes = pair_codes(numbered, nearest_pictures(numbered, lists, units, k).items)
    gaps = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    expected = {
        (min(a, b), max(a, b))
        for a in range(count)
        for b in np.argsort(gaps[a])[: min(k, count - 1)]
    }
    assert {divmod(code, count) for code in codes.tolist()} == expected


@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12), st.integers(1, 6))
def test_pictures_that_others_join_are_paired_up_to_a_size(
    pairs: set[tuple[int, int]], most: int
) -> None:
    apart = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    groups = [{number} for number in range(12)]
    for a, b in apart:
        both = [group for group in groups if group & {a, b}]
        groups = [group for group in groups if group not in both] + [set().union(*both)]
    small = [group for group in groups if len(group) <= most]
    expected = [a * 12 + b for group in small for a in group for b in group if a < b]
    codes = np.array([a * 12 + b for a, b in apart], np.int64)
    assert joined_pairs(codes, 12, most).tolist() == sorted(expected)
    assert joined_pairs(codes[:0], 0, most).tolist() == []
