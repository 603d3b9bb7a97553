"""`run` and `reindex` over time: what is found, what is computed, what is published and recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.errors import GuardError, LeaseError, RejectsError, UsageError
from simsearch.features import store as feature_store
from simsearch.runs import job
from simsearch.runs import steps as pipeline
from simsearch.runs.context import take
from simsearch.runs.records import list_records
from simsearch.settings.config import Config, load_config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.published import latest_snapshot, point_latest
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import Storage
from tests.support.leases import write_foreign

pytestmark = pytest.mark.usefixtures("ray_local")


def fill(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:02}.jpg").write_bytes(image_bytes(1, number))


def config_for(tmp_path: Path, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={tmp_path / 'root'}",
            "catalog.reader=folder",
            f"catalog.source={tmp_path / 'pictures'}",
            "extract.backbones=[efficientnet_lite0]",
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "extract.batch_size=4",
            "perturbations.profiles=[grayscale]",
            "evaluate.bootstrap=20",
            "evaluate.ks=[1]",
            "report.examples=1",
            "projection.methods=[pca]",  # UMAP compiles for half a minute
            "projection.refit_share=0.5",
            "publish.max_recovery_drop=1",  # of twelve artworks one moves it by 0.08
            *overrides,
        ],
    )


def places_on_the_map(snapshot: snapshots.Snapshot) -> dict[str, tuple[float, float]]:
    table = snapshot.storage.read_table(snapshot.projection_path("efficientnet_lite0", "pca"))
    return {row["artwork_id"]: (row["x"], row["y"]) for row in table.to_pylist()}


def same_neighbours(carried: snapshots.Snapshot, searched: snapshots.Snapshot) -> None:
    """Lists carried over from the snapshot before equal a search of everything."""
    for search in ("exact", "annoy", "originals"):
        carried_lists, searched_lists = (
            snapshot.storage.read_table(snapshot.neighbours_path("efficientnet_lite0", search))
            for snapshot in (carried, searched)
        )
        assert carried_lists.equals(searched_lists)
    carried_metrics, searched_metrics = (
        snapshot.storage.read_table(snapshot.metrics_path).filter(
            (pc.field("space") == "efficientnet_lite0") & (pc.field("metric") == "recall")
        )
        for snapshot in (carried, searched)
    )
    assert carried_metrics.num_rows
    assert carried_metrics.equals(searched_metrics)


def vectors_computed(result: job.Result) -> int:
    return next((step.items for step in result.record.steps if step.name == "extract"), 0)


def test_a_collection_that_changes_is_followed_and_only_news_are_computed(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    fill(pictures, 12)
    config = config_for(tmp_path)
    with pytest.raises(UsageError, match="run `simsearch run` first"):
        job.reindex(config)
    first = job.run(config)
    assert (vectors_computed(first), first.record.outcome) == (24, "published")

    again = job.reindex(config)
    assert (vectors_computed(again), again.record.outcome) == (0, "unchanged")
    assert [step.name for step in again.record.steps] == ["ingest"]

    (pictures / "00.jpg").unlink()
    (pictures / "01.jpg").write_bytes(image_bytes(1, 101))
    (pictures / "02.jpg").rename(pictures / "renamed.jpg")
    (pictures / "new.jpg").write_bytes(image_bytes(1, 102))
    os.utime(pictures / "03.jpg", (1, 1))  # touched, not changed
    changed = job.reindex(config)
    assert vectors_computed(changed) == 2 * 2
    assert changed.changes.added == ["new"]
    assert changed.changes.changed == ["01"]
    assert changed.changes.renamed == [("02", "renamed")]
    assert changed.changes.removed == ["00"]
    assert changed.snapshot.snapshot_id != first.snapshot.snapshot_id
    storage = changed.snapshot.storage
    ids = set(changed.snapshot.images()["artwork_id"].to_pylist())
    assert "00" not in ids
    table = storage.read_table(changed.snapshot.neighbours_path("efficientnet_lite0", "exact"))
    named = set(table["query_id"].to_pylist()) | set(table["neighbour_id"].to_pylist())
    assert not {image_id for image_id in named if image_id.startswith("00")}

    stayed = {"02": "renamed", "03": "03", "11": "11"}
    before, now = (places_on_the_map(snapshot) for snapshot in (first.snapshot, changed.snapshot))
    assert [before[old] for old in stayed] == [now[new] for new in stayed.values()]

    two = "extract.backbones=[efficientnet_lite0,efficientnet_lite1]"
    more = job.reindex(config_for(tmp_path, two, "evaluate.incremental=false"))
    same_neighbours(changed.snapshot, more.snapshot)
    assert vectors_computed(more) == 24  # the new space's alone
    outcomes = [record.outcome for record in list_records(storage)]
    assert sorted(outcomes) == ["published", "published", "published", "unchanged"]


def test_an_unchanged_collection_needs_neither_ray_nor_pytorch(tmp_path: Path) -> None:
    fill(tmp_path / "pictures", 6)
    config = config_for(tmp_path, "perturbations.profiles=[]")
    job.run(config)
    program = (
        "import sys; from simsearch.settings.config import Config; from simsearch.runs import job\n"
        "print(job.reindex(Config.model_validate_json(sys.argv[1])).record.outcome)\n"
        "print({'ray', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, config.model_dump_json()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["unchanged", "set()"]


def test_rejected_images_are_tried_again_when_asked(tmp_path: Path) -> None:
    fill(tmp_path / "pictures", 6)
    (tmp_path / "pictures" / "00.jpg").write_bytes(b"not an image")
    config = config_for(tmp_path, "perturbations.profiles=[]", "extract.max_reject_share=0.5")
    assert job.run(config).record.rejects == 1
    assert job.reindex(config).record.outcome == "unchanged"
    retried = job.reindex(
        config_for(
            tmp_path,
            "perturbations.profiles=[]",
            "extract.max_reject_share=0.5",
            "extract.retry_rejects=true",
        )
    )
    assert "extract" in [step.name for step in retried.record.steps]
    assert retried.record.outcome == "unchanged"


def test_a_step_back_is_computed_but_not_published_until_forced(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    fill(pictures, 6)
    config = config_for(tmp_path, "perturbations.profiles=[]")
    first = job.run(config)
    for name in ("00.jpg", "01.jpg"):
        (pictures / name).unlink()
    for _ in range(2):
        with pytest.raises(GuardError, match="4 artworks with vectors, 6 before"):
            job.reindex(config)
        assert latest_snapshot(first.snapshot.storage) == first.snapshot
    forced = job.reindex(config_for(tmp_path, "perturbations.profiles=[]", "publish.force=true"))
    assert forced.record.outcome == "published"
    assert forced.changes.removed == ["00", "01"]


def test_a_rolled_back_snapshot_is_not_published_by_the_next_run(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    fill(pictures, 6)
    config = config_for(tmp_path, "perturbations.profiles=[]")
    first = job.run(config)
    (pictures / "new.jpg").write_bytes(image_bytes(1, 50))
    second = job.reindex(config)
    storage = first.snapshot.storage
    point_latest(first.snapshot, 99, (second.snapshot.snapshot_id,))
    write_foreign(storage, token=100, holder=None)
    assert job.reindex(config).snapshot == first.snapshot
    (pictures / "newer.jpg").write_bytes(image_bytes(1, 51))
    third = job.reindex(config)
    assert latest_snapshot(storage) == third.snapshot


def test_how_a_run_ended_is_told_to_the_store_the_log_prometheus_and_the_hook(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "pictures", 6)
    hook = f"import sys; open({str(tmp_path / 'hook.json')!r}, 'w').write(sys.stdin.read())"
    telling = (
        "perturbations.profiles=[]",
        f"monitoring.prometheus_textfile={tmp_path / 'simsearch.prom'}",
        "monitoring.on_failure=" + json.dumps([sys.executable, "-c", hook]),
    )
    config = config_for(tmp_path, *telling)
    caplog.set_level("INFO")
    result = job.run(config)
    (record,) = list_records(result.snapshot.storage)
    assert record.outcome == "published"
    assert record.snapshot_id == result.snapshot.snapshot_id
    assert (record.artworks, record.images, record.rejects) == (6, 6, 0)
    assert [step.name for step in record.steps] == [
        "ingest",
        "extract",
        "index",
        "neighbours",
        "evaluate",
        "project",
        "report",
    ]
    lines = [
        record.getMessage() for record in caplog.records if record.getMessage().startswith("run {")
    ]
    assert json.loads(lines[-1].removeprefix("run "))["run_id"] == record.run_id
    metrics = (tmp_path / "simsearch.prom").read_text()
    assert 'simsearch_run_outcome{outcome="published"} 1.0' in metrics
    assert re.search(r'simsearch_step_items\{step="extract",unit="vectors"\} 6\.0', metrics)
    assert not (tmp_path / "hook.json").exists()

    for name in ("00.jpg", "01.jpg"):
        (tmp_path / "pictures" / name).write_bytes(b"broken")
    with pytest.raises(RejectsError):
        job.reindex(config)
    failed = json.loads((tmp_path / "hook.json").read_text())
    assert failed["outcome"] == "failed"
    assert "2 of 6 artworks rejected" in failed["error"]
    assert 'outcome="failed"} 1.0' in (tmp_path / "simsearch.prom").read_text()


def test_a_second_run_is_refused_and_dead_ones_are_noted(tmp_path: Path) -> None:
    fill(tmp_path / "pictures", 6)
    config = config_for(tmp_path, "perturbations.profiles=[]")
    storage = Storage(config.root)
    open_root(storage)
    write_foreign(storage)
    with pytest.raises(LeaseError, match="another run is active"):
        job.run(config)
    write_foreign(storage, holder=None)
    (refused,) = list_records(storage)
    assert refused.outcome == "refused"
    storage.write_json(
        "runs/20200101T000000Z-dead.json",
        {**refused.to_json(), "run_id": "20200101T000000Z-dead", "outcome": "running"},
    )
    job.run(config)
    outcomes = {record.run_id: record.outcome for record in list_records(storage)}
    assert outcomes["20200101T000000Z-dead"] == "died"


def test_small_shards_are_merged_by_the_next_extraction(tmp_path: Path) -> None:
    fill(tmp_path / "pictures", 9)
    small = config_for(tmp_path, "perturbations.profiles=[]", "extract.shard_rows=1")
    take(small, job.ingest, new=True)
    take(small, pipeline.extract)
    storage = Storage(small.root)
    assert len(storage.files("features")) == 9
    take(config_for(tmp_path, "perturbations.profiles=[]"), pipeline.extract)
    snapshot = snapshots.pending_snapshot(storage)
    (space,) = snapshot.plan().spaces
    keys = feature_store.read_keys(storage, space)
    assert len(keys.shards) == 1
    assert sorted(feature_store.keys_of(keys.table)) == sorted(
        feature_store.keys_of(snapshot.images())
    )
