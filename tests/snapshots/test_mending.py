"""The manifest of a snapshot whose files are made anew: what it says before, meanwhile and afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch import schemas
from simsearch.snapshots.mending import begin_mending, end_mending, lacking_files
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

LOST = {
    "report": ("report/report.html", {"report/report.html"}),
    "plan": ("plan.json", set()),
    "images": ("images/images.parquet", set()),
    "rejects": ("rejects/rejects.parquet", set()),
    "scores": (
        "metrics/metrics.parquet",
        {"metrics/metrics.parquet", "neighbours/test.exact.parquet"},
    ),
    "index": (
        "indexes/test/vectors.npy",
        {f"indexes/test/{name}" for name in ("ids.parquet", "index.ann", "manifest.json", "vectors.npy")},
    ),
}  # fmt: skip


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return make_snapshot(Storage(str(tmp_path)), {"a": "1", "b": "2", "c": "3"})


@pytest.mark.parametrize("how", ["removed", "cut"])
@pytest.mark.parametrize(("name", "to_make"), LOST.values(), ids=LOST)
def test_what_belongs_together_is_made_anew_together(
    snapshot: Snapshot, name: str, to_make: set[str], how: str
) -> None:
    storage, path = snapshot.storage, snapshot.path(name)
    before = {
        file: storage.read_bytes(snapshot.path(file)) for file in snapshot.manifest()["files"]
    }
    images, rejects = snapshot.images(), snapshot.rejects()
    assert (lacking_files(snapshot), snapshot.finished()) == ([], True)
    storage.delete(path)
    if how == "cut":
        storage.write_bytes(path, before[name][:5])
    assert lacking_files(snapshot) == [name]
    for _ in range(2):  # a mending that was interrupted is begun again
        begin_mending(snapshot, images, rejects, schemas.VERDICTS.empty_table())
        assert not snapshot.finished()
        assert f"{path}: was being made anew when a run was interrupted" in list(verify(snapshot))
    files = {info.path for info in storage.files(snapshot.folder)}
    assert before.keys() - files == to_make
    for file in to_make:
        storage.write_bytes(snapshot.path(file), before[file])
    end_mending(snapshot)
    assert snapshot.finished()
    assert list(verify(snapshot)) == []
    assert {file: storage.read_bytes(snapshot.path(file)) for file in before} == before


def test_a_whole_snapshot_is_left_alone(snapshot: Snapshot) -> None:
    before = snapshot.storage.read_bytes(snapshot.manifest_path)
    assert (
        begin_mending(
            snapshot, snapshot.images(), snapshot.rejects(), schemas.VERDICTS.empty_table()
        )
        == []
    )
    end_mending(snapshot)
    assert snapshot.storage.read_bytes(snapshot.manifest_path) == before
