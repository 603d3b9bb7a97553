"""Lists of the published snapshot, stored and read for the next one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from simsearch.features import store as feature_store
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.neighbours.earlier import AMONG, lists_table, read_earlier
from simsearch.neighbours.lists import Lists, carry_lists, search_lists
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot
from tests.support.spaces import SPACE

DEPTH = 4
FIRST = {f"a{number}": f"picture {number}" for number in range(12)}
# One gone, one changed, one renamed, one new.
SECOND = {**FIRST, "a1": "another", "new": "fresh", "z": FIRST["a2"]}
for name in ("a0", "a2"):
    del SECOND[name]


def units_of(snapshot: Snapshot) -> Vectors:
    images = snapshot.images()
    return unit_rows(feature_store.read_vectors(snapshot.storage, SPACE, images))


def store(snapshot: Snapshot, lists: Lists) -> None:
    for among in AMONG:
        snapshot.storage.write_table(snapshot.lists_path(SPACE.name, among), lists_table(lists))


def test_what_a_night_stored_serves_the_next(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    first = make_snapshot(storage, FIRST)
    everything = np.arange(len(FIRST))
    lists = search_lists(units_of(first), everything, everything, DEPTH)
    store(first, lists)
    second = make_snapshot(storage, SECOND)
    earlier = read_earlier(first, replace(SPACE, name="renamed"), second.images())
    assert earlier is not None
    units, now = units_of(second), np.arange(len(SECOND))
    whole = search_lists(units, now, now, DEPTH)
    for held in earlier.lists:
        today, again = carry_lists(held, earlier.asked, earlier.now, units, now, now, DEPTH)
        np.testing.assert_array_equal(today.items[:, :DEPTH], whole.items[:, :DEPTH])
        np.testing.assert_array_equal(today.squared[:, :DEPTH], whole.squared[:, :DEPTH])
        ids = second.images()["artwork_id"].to_numpy()
        assert ids[again].tolist() == ["a1", "new"]


def test_another_space_or_a_snapshot_without_lists_serves_nothing(tmp_path: Path) -> None:
    first = make_snapshot(Storage(str(tmp_path)), FIRST)
    assert read_earlier(first, SPACE, first.images()) is None
    other = replace(SPACE, precision="bfloat16")
    everything = np.arange(len(FIRST))
    lists = search_lists(units_of(first), everything, everything, DEPTH)
    store(first, lists)
    assert read_earlier(first, other, first.images()) is None
