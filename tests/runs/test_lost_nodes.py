"""A head without CPUs and workers that come late, go without a word, or never come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from simsearch.catalog.readers.generated import image_bytes
from simsearch.runs.context import take
from simsearch.runs.job import ingest
from simsearch.runs.steps import extract
from simsearch.runtime.ray_session import start_in_time
from simsearch.settings.config import load_config
from simsearch.snapshots.snapshot import pending_snapshot
from simsearch.storage.storage import Storage
from tests.drills.run_job import counts_add_up, duplicates
from tests.support.node_jobs import RunningJob, sane
from tests.support.small_runs import all_vectors

pytestmark = [pytest.mark.ray, pytest.mark.drill]

STORE = 150 * 2**20


@contextmanager
def head() -> Iterator[Cluster]:
    """A cluster of a head that no work is put on."""
    arguments = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    cluster = start_in_time(lambda: Cluster(initialize_head=True, head_node_args=arguments))
    try:
        yield cluster
    finally:
        cluster.shutdown()


def join(cluster: Cluster, cpus: int = 1, **more: Any) -> Any:
    return start_in_time(lambda: cluster.add_node(num_cpus=cpus, object_store_memory=STORE, **more))


def settings(cluster: Cluster, root: Path, artworks: int, *more: str) -> list[str]:
    return [
        f"root={root}",
        f"catalog.size={artworks}",
        f"ray.address={cluster.address}",
        "extract.backbones=[squeezenet1_1,shufflenet_v2_x0_5]",
        "extract.weights=['random:0']",
        "extract.precision=float32",
        "extract.batch_size=8",
        "extract.shard_rows=48",
        "evaluate.bootstrap=20",
        "report.examples=1",
        "projection.methods=[pca]",
        "ray.log_seconds=1",
        *more,
    ]


def test_a_worker_lost_in_mid_extract_changes_nothing(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(24):
        (pictures / f"{number:02}.jpg").write_bytes(image_bytes(5, number))
    source = ["catalog.reader=folder", f"catalog.source={pictures}"]
    with head() as cluster:
        workers = [join(cluster), join(cluster)]
        words = settings(cluster, tmp_path / "struck", 24, *source)
        take(load_config(None, words), ingest, new=True)
        job = RunningJob.start(tmp_path / "struck.log", "extract", *words)
        job.wait_until_done("extract", 0.15)
        cluster.remove_node(workers[0], allow_graceful=False)
        assert job.code() == 0, job.text()
        calm = settings(cluster, tmp_path / "calm", 24, *source, "ray.address=local")
    for step in (ingest, extract):
        take(load_config(None, calm), step, new=step is ingest)
    ours, theirs = (pending_snapshot(Storage(str(tmp_path / name))) for name in ("struck", "calm"))
    assert ours.images().equals(theirs.images())
    assert {name: vectors.tobytes() for name, vectors in all_vectors(ours).items()} == {
        name: vectors.tobytes() for name, vectors in all_vectors(theirs).items()
    }
    assert duplicates(ours) == 0
    assert counts_add_up(ours)
    assert job.progress("extract")
    assert sane(job.progress("extract"))


def test_a_cluster_whose_workers_come_one_by_one_is_waited_for_aloud(tmp_path: Path) -> None:
    with head() as cluster:
        job = settings(
            cluster, tmp_path / "root", 8, "extract.backbones=[squeezenet1_1]", "ray.stall_warn=2"
        )
        take(load_config(None, job), ingest, new=True)
        waiting = RunningJob.start(tmp_path / "extract.log", "extract", *job)
        waiting.wait_for_line("waiting for 1 CPU; the cluster has no node to work on yet")
        waiting.wait_for_line("extract: nothing moved for")
        assert waiting.process.poll() is None
        join(cluster)
        waiting.wait_for_line("squeezenet1_1 on cpu: 1 actor of 1 thread")
        join(cluster)
        assert waiting.code() == 0, waiting.text()


def test_a_run_that_waits_for_ever_ends_with_what_it_waits_for_and_resumes(tmp_path: Path) -> None:
    with head() as cluster:
        words = settings(
            cluster,
            tmp_path / "root",
            4,
            "extract.device=cuda",
            "extract.backbones=[squeezenet1_1]",
        )
        take(load_config(None, words), ingest, new=True)
        join(cluster)
        stalled = RunningJob.start(
            tmp_path / "stalled.log", "extract", *words, "ray.stall_warn=1", "ray.stall_fail=4"
        )
        assert stalled.code() == 1
        text = stalled.text()
        assert "extract: on GPUs: extract.device is cuda" in text
        assert "extract: waiting for 1 GPU; the cluster has none yet" in text
        assert "error: extract: nothing moved for 4 s (ray.stall_fail): waiting for 1 GPU" in text
        assert "Traceback" not in text
        resumed = RunningJob.start(
            tmp_path / "resumed.log", "extract", *words, "extract.device=auto"
        )
        assert resumed.code() == 0, resumed.text()
        assert "extract: on CPUs: the cluster has no GPU" in resumed.text()
