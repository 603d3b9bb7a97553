"""The run record in the log: a JSON line for machines, none on a terminal."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from simsearch.runs.records import record_run
from simsearch.settings.config import load_config


@pytest.mark.parametrize(
    ("setting", "terminal", "told"),
    [
        ("null", True, False),
        ("null", False, True),
        ("true", True, True),
        ("false", False, False),
    ],
)
def test_the_record_is_a_json_line_only_where_it_is_wanted(
    setting: str,
    terminal: bool,
    told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    caplog.set_level(logging.INFO)
    config = load_config(None, [f"root={tmp_path}/root", f"monitoring.log_json={setting}"])
    with record_run(config, "run") as record:
        record.outcome = "published"
    assert ('"outcome": "published"' in caplog.text) is told
    assert len(list((tmp_path / "root" / "runs").iterdir())) == 1  # stored in any case
