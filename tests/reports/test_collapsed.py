"""A space that tells no pictures apart is named wherever figures are shown, and never advised."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from simsearch.features.collapse import Spread, find_collapsed, spread_rows
from simsearch.reading.view import SnapshotView
from simsearch.reports.conclusion import candidates, conclusion_words, no_advice, picks
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.reports.test_conclusion import SPACES, comparisons, metrics, timings
from tests.support.report_pages import page, read
from tests.support.small_snapshots import make_snapshot

HEALTHY = Spread(90, 0.0, 0.0, 13.1, 21.7)
CONSTANT = Spread(90, 0.0, 1.0, 1.0, 0.0)
REASON = "100% of the pictures share their vector with others"


def test_what_was_measured_says_which_spaces_are_collapsed() -> None:
    rows = spread_rows({"fast": HEALTHY, "slow": CONSTANT})
    assert find_collapsed(rows) == {"slow": REASON}


def test_a_collapsed_space_is_not_advised_whatever_it_scores() -> None:
    table = metrics(fast=0.5, slow=1.0)
    tests = comparisons(0.001)
    bad = pa.concat_tables([table, spread_rows({"fast": HEALTHY, "slow": CONSTANT})])
    assert {
        pick.choice.space.name
        for pick in picks(table, tests, candidates(table, SPACES[:2], timings()))
    } == {"slow"}
    ranked = candidates(bad, SPACES[:2], timings())
    assert {pick.choice.space.name for pick in picks(bad, tests, ranked)} == {"fast"}
    assert "search with fast" in conclusion_words(bad, tests, ranked)
    alone = candidates(bad, SPACES[1:2], timings())
    assert picks(bad, tests, alone) == []
    assert "does not tell pictures apart" in no_advice(tests, alone)


def test_the_report_names_a_collapsed_space_and_no_healthy_one() -> None:
    text = read(page(spread_rows({"fast": HEALTHY, "slow": CONSTANT}))).text
    assert f"slow does not tell pictures apart: {REASON}" in text
    assert "fast does not tell" not in text


@pytest.mark.parametrize(("spread", "named"), [(HEALTHY, False), (CONSTANT, True)])
def test_the_explorer_names_a_collapsed_space(tmp_path: Path, spread: Spread, named: bool) -> None:
    storage = Storage(str(tmp_path))
    snapshot = make_snapshot(storage, {"a": "1", "b": "2"})
    rows = storage.read_table(snapshot.metrics_path)
    table = pa.concat_tables([rows, spread_rows({"test": spread})])
    storage.write_table(snapshot.metrics_path, table)
    view = SnapshotView(load_config(None, [f"root={tmp_path}"]), snapshot)
    assert any("test does not tell pictures apart" in warning for warning in view.warnings) == named
