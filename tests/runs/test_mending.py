"""A published snapshot that lacks files gets them back by another run, the same as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simsearch.runs.job import reindex, run
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import REMADE, Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import root_of
from tests.drills.run_job import fingerprint
from tests.support.small_runs import config_for

pytestmark = [pytest.mark.usefixtures("ray_local"), pytest.mark.drill]

SPACE = "efficientnet_lite0"
LOST = {
    "report": ["report/report.html", "report/curves.png"],
    "all kinds": [
        "plan.json",
        "images/images.parquet",
        "rejects/rejects.parquet",
        f"indexes/{SPACE}/manifest.json",
        f"neighbours/{SPACE}.originals.parquet",
        f"projection/{SPACE}-pca.parquet",
    ],
    "manifest": ["manifest.json"],
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Snapshot]:
    config = config_for(str(tmp_path_factory.mktemp("mending") / "root"), "catalog.size=6")
    return config, run(config).snapshot


@pytest.fixture
def whole(published: tuple[Config, Snapshot]) -> Iterator[tuple[Config, Snapshot]]:
    """The published snapshot, and afterwards the law of all of these tests."""
    config, snapshot = published
    before = fingerprint(root_of(config))
    yield config, snapshot
    assert not list(verify(snapshot))
    assert fingerprint(root_of(config)) == before
    assert [step.name for step in reindex(config).record.steps] == ["ingest"]


@pytest.mark.parametrize("names", LOST.values(), ids=LOST)
def test_lost_files_come_back(
    whole: tuple[Config, Snapshot],
    names: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, snapshot = whole
    if names == LOST["all kinds"]:  # its report is not lost, and says when it was written
        monkeypatch.setattr("simsearch.reports.report.write_report", None)
    for name in names:
        snapshot.storage.delete(snapshot.path(name))
    reindex(config)
    for name in names:
        assert f"{snapshot.path(name)}: lacking of the published snapshot" in caplog.text


def test_an_interrupted_mending_is_named_and_begun_again(
    whole: tuple[Config, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, snapshot = whole
    snapshot.storage.delete(snapshot.report_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("simsearch.runs.publication.end_mending", killed)
        with pytest.raises(KeyboardInterrupt):
            reindex(config)
    assert "report/report.html" in snapshot.manifest()[REMADE]
    assert f"{snapshot.report_path}: was being made anew when a run was interrupted" in list(
        verify(snapshot)
    )
    reindex(config)
