"""Near-duplicates that are read back from their table are those that were found."""

from __future__ import annotations

from itertools import combinations
from unittest import mock

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.neighbours import near_duplicates
from simsearch.neighbours.near_duplicates import _table, listed_pairs
from simsearch.neighbours.numbering import NumberedImages


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.sets(st.integers(0, 14)))
def test_the_table_lists_what_was_found_also_where_not_every_pair_is_listed(
    pictures: list[int], chosen: set[int]
) -> None:
    rows = [
        {"image_id": name, "artwork_id": name, "profile": None, "content_hash": f"p{picture}"}
        for name, picture in ((f"a{n:02}", picture) for n, picture in enumerate(pictures))
    ]
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    numbered = NumberedImages.of(images, ())
    ids = images["artwork_id"].to_numpy()
    firsts = sorted(pictures.index(picture) for picture in set(pictures))
    found_pairs = [pair for number, pair in enumerate(combinations(firsts, 2)) if number in chosen]
    pairs = np.array(found_pairs, np.int64).reshape(-1, 2)
    distances = {space: np.zeros(len(pairs), np.float32) for space in ("one", "two")}
    with mock.patch.object(near_duplicates, "MOST_PAIRED", 2):
        table = _table(numbered, ids, pairs, distances, {"one": 0.5, "two": 0.6})
    again = numbered.with_near(listed_pairs(table, ids))
    assert again.near.tolist() == numbered.with_near(found_pairs).near.tolist()
