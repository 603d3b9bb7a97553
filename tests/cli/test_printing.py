"""What a terminal shows: the metrics of a run, and what to type next."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest

from simsearch import schemas
from simsearch.cli.printing import explore_command, metrics_text
from simsearch.settings.sections.operation import StorageConfig
from tests.support.report_pages import metrics


def test_untrained_networks_are_marked_and_no_copies_are_said() -> None:
    assert "test (untrained)" in metrics_text(metrics(), frozenset({"test"}))
    lines = metrics_text(metrics(), frozenset(), {"test"}).splitlines()
    exact = {line.split()[0] for line in lines[1:] if line.split()[-2] == "exact"}
    assert exact == {"test"}
    alone = metrics().filter(pc.field("search") == "exact")
    assert all(
        line.split()[-2] == "–" for line in metrics_text(alone, frozenset()).splitlines()[1:]
    )
    assert "no recovery to measure" in metrics_text(schemas.METRICS.empty_table(), frozenset())


def test_the_explorers_command_can_be_typed_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/simsearch"), "run"])
    assert explore_command("demo", StorageConfig()) == ".venv/bin/simsearch explore demo"
    storage = StorageConfig(endpoint_url="https://s3.example.org")
    monkeypatch.setattr(sys, "argv", ["/somewhere/jobs/run.py"])
    assert (
        explore_command("s3://a museum/root", storage)
        == "simsearch explore 's3://a museum/root' storage.endpoint_url=https://s3.example.org"
    )
