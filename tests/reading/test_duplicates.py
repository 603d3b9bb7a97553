"""Groups of near-duplicates, without a collection around them."""

from __future__ import annotations

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
    rows: list[dict[str, Any]] = [
        {"artwork_id": f"{a}", "other_id": f"{b}", "relation": "edited", "inliers": 20,
         "false_alarms": alarms, "mirrored": False}
        for a, b, alarms in pairs
    ]  # fmt: skip
    storage = Storage(str(tmp_path))
    storage.write_table("near.parquet", pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES))
    view = SimpleNamespace(
        snapshot=SimpleNamespace(storage=storage, near_duplicates_path="near.parquet"),
        number_of=int,
        artwork_at=lambda number: SimpleNamespace(row={"department": HOUSES[number]}),
    )
    groups = duplicate_groups(cast(SnapshotView, view))
    assert groups is not None
    assert [group.members for group in groups] == [(2, 3), (0, 1), (4, 5), (6, 7)]
    assert [group.two_houses for group in groups] == [True, False, False, False]
