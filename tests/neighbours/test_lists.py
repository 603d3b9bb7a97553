"""Lists carried over nights, against a search of everything on each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.features.vectors import Vectors, unit_rows
from simsearch.neighbours import lists
from simsearch.neighbours.lists import Lists, carry_lists, search_lists

DEPTH = 5
PICTURES = unit_rows(np.random.default_rng(4).normal(size=(40, 6)).astype(np.float32))
PICTURES[30:] = PICTURES[0]  # more artworks share one picture than a list has places

# A night: each artwork's picture, by its name. Renamed, changed, added and removed in any mixture.
Night = dict[int, int]
NIGHTS = st.lists(
    st.dictionaries(st.integers(0, 60), st.integers(0, len(PICTURES) - 1), min_size=1, max_size=40),
    min_size=2,
    max_size=4,
)


def day(night: Night) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Vectors and pictures of all images by item: originals, and a copy of each even picture."""
    pictures = [
        (name, copy) for name in sorted(night) for copy in range(1 + (night[name] % 2 == 0))
    ]
    items = np.array([2 * night[name] + copy for name, copy in pictures])
    vectors = PICTURES[items // 2].copy()
    vectors[items % 2 == 1] = unit_rows(PICTURES[items[items % 2 == 1] // 2] + np.float32(0.2))
    return vectors, items


def same(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return lists.match_keys(before.astype(str), now.astype(str))


@pytest.mark.slow
@pytest.mark.parametrize("spare", [0, 2])
@given(nights=NIGHTS, alone=st.booleans())
@settings(max_examples=50, deadline=None)
def test_carried_lists_equal_a_search_of_everything(
    spare: int, nights: list[Night], alone: bool
) -> None:
    """Items and distances are equal to the last bit, night after night; `alone`: originals only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "SPARE", spare)
        held: Lists | None = None
        before = asked = np.zeros(0, np.int64)
        for night in nights:
            units, items = day(night)
            queries = np.flatnonzero(items % 2 == 0)
            among = queries if alone else np.arange(len(items))
            whole = search_lists(units, among, queries, DEPTH)
            if held is None:
                held = whole
            else:
                now = same(before, items)
                held, _ = carry_lists(held, asked, now, units, among, queries, DEPTH)
            for name in ("items", "squared"):
                values = getattr(held, name)[:, :DEPTH]
                np.testing.assert_array_equal(values, getattr(whole, name)[:, :DEPTH])
            before, asked = items, queries


def test_a_list_is_all_others_by_distance_and_number() -> None:
    units, items = day(dict.fromkeys(range(9), 0) | {20: 1, 21: 3})
    lists_of_4 = search_lists(units, np.arange(len(items)), np.array([4]), DEPTH)
    squared = np.square(units.astype(np.float64) - units[4]).sum(axis=1)
    squared[4] = np.inf
    assert (
        lists_of_4.items[0, :DEPTH].tolist()
        == np.lexsort((np.arange(len(items)), squared))[:DEPTH].tolist()
    )


def test_only_what_changed_is_searched_again() -> None:
    random = np.random.default_rng(1)
    vectors = unit_rows(random.normal(size=(600, 8)).astype(np.float32))
    everything = np.arange(590)
    held = search_lists(vectors[:590], everything, everything, DEPTH)
    now = np.where(everything < 6, -1, everything - 6)  # six are gone, ten are new
    today = vectors[6:]
    updated, again = carry_lists(
        held, everything, now, today, np.arange(594), np.arange(594), DEPTH
    )
    assert again.tolist() == list(range(584, 594))
    whole = search_lists(today, np.arange(594), np.arange(594), DEPTH)
    np.testing.assert_array_equal(updated.first(DEPTH).items, whole.first(DEPTH).items)


def test_equal_pictures_are_matched_one_to_one() -> None:
    places = lists.match_keys(np.array(["a", "b", "a", "c"]), np.array(["a", "d", "a", "a", "b"]))
    assert places.tolist() == [0, 4, 2, -1]
