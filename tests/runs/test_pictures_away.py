"""Pictures that are there when the collection is listed and away when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch.runs import job
from simsearch.runs.context import Run, StepResult
from tests.runs.test_job import config_for, fill

pytestmark = pytest.mark.usefixtures("ray_local")


def test_pictures_that_were_away_while_they_were_read_are_taken_the_next_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come back unchanged: the catalog's versions do not tell that they were away."""
    fill(tmp_path / "pictures", 6)
    config = config_for(tmp_path, "extract.max_reject_share=0.5")
    names = ["01.jpg", "04.jpg"]

    def ingest(run: Run) -> StepResult:
        outcome = read_collection(run)
        for name in names:
            (tmp_path / "pictures" / name).rename(tmp_path / name)
        return outcome

    read_collection = job.ingest
    with monkeypatch.context() as patch:
        patch.setattr(job, "ingest", ingest)
        first = job.run(config)
    assert first.snapshot.rejects()["reason"].to_pylist() == ["not found"] * 2
    for name in names:
        (tmp_path / name).rename(tmp_path / "pictures" / name)
    second = job.run(config)
    assert second.record.outcome == "published"
    assert second.snapshot.rejects().num_rows == 0
    assert job.run(config).record.outcome == "unchanged"
