"""Near-duplicates that are read back from their table are those that were verified."""

from __future__ import annotations

from itertools import combinations
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.features.points import AGREEMENTS
from simsearch.geometry.false_alarms import Chance
from simsearch.geometry.relations import Relation
from simsearch.neighbours import near_duplicates
from simsearch.neighbours.chance import CollectionChance
from simsearch.neighbours.near_duplicates import near_duplicates_table
from simsearch.neighbours.numbering import NumberedImages, listed_pairs
from simsearch.neighbours.verification import Verified

EVIDENCE = {
    "inliers": 30,
    "evidence": 20.0,
    "transform": np.eye(3).ravel().tolist(),
    "mirrored": False,
    "size": [320, 200],
    "other_size": [320, 200],
    "places": [10.0, 10, 300, 190],
    "other_places": [10.0, 10, 300, 190],
    "outline": [0.0, 0, 320, 0, 320, 200, 0, 200],
    "other_outline": [0.0, 0, 320, 0, 320, 200, 0, 200],
    "share": 1.0,
    "other_share": 1.0,
    "overlap": 1.0,
    "other_overlap": 1.0,
    "coverage": 0.9,
    "likeness": 0.95,
    "residual": 0.5,
    "false_alarms": 1e-9,
}


def verified(codes: list[int]) -> Verified:
    rows = [
        {"first_hash": "a", "second_hash": "b", **EVIDENCE, "code": code} for code in sorted(codes)
    ]
    schema = AGREEMENTS.append(pa.field("code", pa.int64())).append(
        pa.field("false_alarms", pa.float64())
    )
    chance = CollectionChance(Chance(0.01, 1.0), 100)
    return Verified(pa.Table.from_pylist(rows, schema=schema), chance, np.zeros(0, np.int64), ())


def numbered_of(pictures: list[int]) -> tuple[NumberedImages, np.ndarray]:
    rows = [
        {"image_id": name, "artwork_id": name, "profile": None, "content_hash": f"p{picture}"}
        for name, picture in ((f"a{n:02}", picture) for n, picture in enumerate(pictures))
    ]
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    return NumberedImages.of(images, ()), images["artwork_id"].to_numpy()


@pytest.mark.slow
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.sets(st.integers(0, 14)))
def test_the_table_lists_what_was_verified_also_where_not_every_pair_is_listed(
    pictures: list[int], chosen: set[int]
) -> None:
    numbered, ids = numbered_of(pictures)
    count = len(set(pictures))
    pairs = [pair for number, pair in enumerate(combinations(range(count), 2)) if number in chosen]
    with mock.patch.object(near_duplicates, "MOST_PAIRED", 2):
        table = near_duplicates_table(numbered, ids, verified([a * count + b for a, b in pairs]))
    firsts = [int(places[0]) for places in numbered.by_picture().values()]
    expected = numbered.with_near([(firsts[a], firsts[b]) for a, b in pairs])
    again = numbered.with_near(listed_pairs(table, ids))
    assert again.near.tolist() == expected.near.tolist()
    assert {row["relation"] for row in table.to_pylist()} <= {"same file", "same picture"}


def test_without_geometry_only_equal_bytes_are_listed() -> None:
    table = near_duplicates_table(*numbered_of([0, 1, 0, 2]), None)
    assert [(row["artwork_id"], row["other_id"]) for row in table.to_pylist()] == [("a00", "a02")]
    assert table["inliers"].null_count == 1


def test_a_shared_detail_is_listed_and_makes_no_near_duplicate() -> None:
    assert (Relation.SHARED_DETAIL.value, Relation.ONE_FRAME.value) == schemas.OTHER_PICTURES
    rows = [
        {"artwork_id": "a", "other_id": "b", "relation": "shared detail"},
        {"artwork_id": "a", "other_id": "c", "relation": "detail of"},
    ]
    table = pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)
    ids = np.array(["a", "b", "c"], object)
    assert listed_pairs(table, ids).tolist() == [[0, 2]]
