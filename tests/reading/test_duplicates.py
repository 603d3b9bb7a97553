"""Groups of near-duplicates, without a collection around them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from simsearch import schemas
from simsearch.reading.findings.duplicates import duplicate_groups
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage

HOUSES = ("Prado", "Prado", "Tate", "Louvre", None, "Louvre", "Unknown", "Tate")


def test_one_picture_in_two_houses_comes_before_surer_pairs(tmp_path: Path) -> None:
    """A house that is not given or not known differs from none."""
    pairs = [(0, 1, 1e-9), (2, 3, 1e-3), (4, 5, 1e-6), (6, 7, 1e-5)]
    groups = duplicate_groups(view_of(tmp_path, pairs))
    assert groups is not None
    assert [group.members for group in groups] == [(2, 3), (0, 1), (4, 5), (6, 7)]
    assert [group.two_houses for group in groups] == [True, False, False, False]


def test_a_group_falls_apart_where_a_pair_may_be_by_chance(tmp_path: Path) -> None:
    pairs = [(0, 1, 1e-9), (1, 2, 0.1), (2, 3, 1e-3), (4, 5, None), (6, 7, 0.9)]
    view = view_of(tmp_path, pairs)

    def members(expected: float) -> set[tuple[int, ...]]:
        groups = duplicate_groups(view, expected) or []
        alarms = [pair.false_alarms or 0 for group in groups for pair in group.pairs]
        assert max(alarms) <= expected
        return {tuple(sorted(group.members)) for group in groups}

    assert members(1) == {(0, 1, 2, 3), (4, 5), (6, 7)}
    assert members(0.1) == {(0, 1, 2, 3), (4, 5)}
    assert members(0.01) == {(0, 1), (2, 3), (4, 5)}
    assert members(1e-12) == {(4, 5)}


def view_of(folder: Path, pairs: Iterable[tuple[int, int, float | None]]) -> SnapshotView:
    """A snapshot that lists pairs of artworks with their false alarms; None: the same file."""
    rows: list[dict[str, Any]] = [
        {"artwork_id": f"{a}", "other_id": f"{b}", "relation": "edited", "inliers": None if alarms is None else 20,
         "false_alarms": alarms, "mirrored": False}
        for a, b, alarms in pairs
    ]  # fmt: skip
    storage = Storage(str(folder))
    storage.write_table("near.parquet", pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES))
    view = SimpleNamespace(
        snapshot=SimpleNamespace(storage=storage, near_duplicates_path="near.parquet"),
        number_of=int,
        artwork_at=lambda number: SimpleNamespace(row={"department": HOUSES[number]}),
    )
    return cast(SnapshotView, view)
