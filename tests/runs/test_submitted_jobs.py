"""The jobs on a real Ray cluster, submitted as an operator submits them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from simsearch.settings.config import load_config
from simsearch.settings.shown import settings_text
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.support.places import Place
from tests.support.ray_cluster import (
    RayCluster,
    ray_cluster,
    submit,
    wait_until_jobs_are_taken,
)

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster(credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    with ray_cluster(dashboard=True) as cluster:
        wait_until_jobs_are_taken(cluster, tmp_path_factory.mktemp("empty"))
        yield cluster


def submit_job(cluster: RayCluster, job: str, *words: str) -> subprocess.CompletedProcess[str]:
    return submit(cluster, PROJECT / "jobs", sys.executable, job, *words)


def settings(place: Place) -> list[str]:
    return [
        f"root={place.root}",
        f"storage.endpoint_url={place.config.endpoint_url or 'null'}",
        "catalog.size=8",
        "extract.backbones=[efficientnet_lite0]",
        "extract.weights=['random:0']",
        "extract.precision=float32",
        "evaluate.bootstrap=20",
        "report.examples=1",
        "projection.methods=[pca]",  # UMAP compiles for half a minute
    ]


def test_a_failing_job_exits_non_zero_and_says_why(cluster: RayCluster, s3_place: Place) -> None:
    done = submit_job(cluster, "run.py", *settings(s3_place), "extract.backbones=[vgg17]")
    assert done.returncode != 0
    assert "no encoder named 'vgg17'" in done.stdout + done.stderr


def test_a_job_runs_whole_on_the_s3_server_and_the_cronjobs_own_command_reindexes(
    cluster: RayCluster, s3_place: Place, tmp_path: Path
) -> None:
    """The manifest's command, with the image's folders replaced by this machine's, after a first run."""
    manifest = yaml.safe_load((PROJECT / "cluster" / "base" / "nightly.yaml").read_text())
    (container,) = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    there_and_here = {
        "$(SLOT)": "simsearch-nightly-29403960",
        "python": sys.executable,
        "/app/jobs/submit.py": str(PROJECT / "jobs" / "submit.py"),
        "/app/jobs/reindex.py": str(PROJECT / "jobs" / "reindex.py"),
        "/config/config.yaml": str(tmp_path / "config.yaml"),
    }
    assert set(there_and_here) <= set(container["command"])
    command = [there_and_here.get(word, word) for word in container["command"]]
    config = load_config(None, settings(s3_place))
    (tmp_path / "config.yaml").write_text(settings_text(config))
    first = submit_job(cluster, "run.py", *settings(s3_place))
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert latest_snapshot(Storage(s3_place.root, s3_place.config)).images().num_rows == 8 * 6
    assert "published snapshot" in first.stdout + first.stderr
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "RAY_ADDRESS": cluster.dashboard},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert ", unchanged" in done.stdout
