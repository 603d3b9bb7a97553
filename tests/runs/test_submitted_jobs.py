"""The jobs on a real Ray cluster, submitted as an operator submits them."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from simsearch.config import dump_config, load_config
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.conftest import Place

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster(credentials: None) -> Iterator[str]:
    """The dashboard address of a one-node cluster made by `ray start --head`."""
    dashboard, port = free_port(), free_port()
    with pytest.MonkeyPatch.context() as patch:
        # Ray's clusters ask for a token; whoever submits shows the same.
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield from running_cluster(dashboard, port)


def running_cluster(dashboard: int, port: int) -> Iterator[str]:
    command = [str(BIN / "ray"), "start", "--head", f"--port={port}", "--num-cpus=2"]
    command += [
        f"--dashboard-port={dashboard}",
        # A second Ray on this machine already listens on the usual port, and jobs need the agent.
        f"--dashboard-agent-listen-port={free_port()}",
        "--object-store-memory=500000000",
        "--disable-usage-stats",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    address = f"http://127.0.0.1:{dashboard}"
    wait_until_jobs_are_taken(address)
    yield address
    subprocess.run(
        [str(BIN / "ray"), "stop", "--force"], check=True, capture_output=True, timeout=120
    )


def wait_until_jobs_are_taken(address: str, seconds: float = 90) -> None:
    """`ray start` returns before the node's agent, which starts the jobs, has registered."""
    deadline = time.monotonic() + seconds
    while (done := submit(address, "true")).returncode:
        assert time.monotonic() < deadline, done.stdout + done.stderr


def submit(cluster: str, *command: str) -> subprocess.CompletedProcess[str]:
    """`ray job submit` of a command, waiting for its end."""
    where = ["--address", cluster, "--working-dir", str(PROJECT / "jobs")]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.run(
        [str(BIN / "ray"), "job", "submit", *where, "--", *command],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env=environment,
    )


def submit_job(cluster: str, job: str, *words: str) -> subprocess.CompletedProcess[str]:
    return submit(cluster, sys.executable, job, *words)


def settings(place: Place) -> list[str]:
    return [
        f"root={place.root}",
        f"storage.endpoint_url={place.config.endpoint_url or 'null'}",
        "catalog.size=8",
        "extract.backbones=[squeezenet1_1]",
        "extract.weights=['random:0']",
        "evaluate.bootstrap=20",
        "report.examples=1",
        "projection.methods=[pca]",  # UMAP compiles for half a minute
    ]


def test_a_submitted_job_runs_whole_on_the_s3_server(cluster: str, s3_place: Place) -> None:
    done = submit_job(cluster, "run.py", *settings(s3_place))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert latest_snapshot(Storage(s3_place.root, s3_place.config)).images().num_rows == 8 * 6
    assert "published snapshot" in done.stdout + done.stderr


def test_a_failing_job_exits_non_zero_and_says_why(cluster: str, s3_place: Place) -> None:
    done = submit_job(cluster, "run.py", *settings(s3_place), "extract.backbones=[vgg17]")
    assert done.returncode != 0
    assert "no backbone named 'vgg17'" in done.stdout + done.stderr


def test_the_steps_run_one_by_one(cluster: str, tmp_path: Path) -> None:
    words = settings(Place(str(tmp_path / "root"), Storage("/").config))
    for job in ("ingest", "extract", "index", "evaluate", "report"):
        done = subprocess.run(
            [sys.executable, str(PROJECT / "jobs" / f"{job}.py"), *words, "ray.address=auto"],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    assert latest_snapshot(Storage(str(tmp_path / "root"))).images().num_rows == 8 * 6


def test_the_cronjobs_own_command_reindexes_on_the_cluster(
    cluster: str, s3_place: Place, tmp_path: Path
) -> None:
    """The manifest's shell command, with the image's folders replaced by this machine's."""
    manifest = yaml.safe_load((PROJECT / "cluster" / "cronjob.yaml").read_text())
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    shell, option, line = container["command"]
    for there, here in (
        ("/tmp/job", str(tmp_path / "job")),
        ("/config/", f"{tmp_path}/"),
        ("python /app", f"{sys.executable} {PROJECT}"),
    ):
        assert there in line
        line = line.replace(there, here)
    config = load_config(None, settings(s3_place))
    (tmp_path / "config.yaml").write_text(dump_config(config))
    assert submit_job(cluster, "run.py", *settings(s3_place)).returncode == 0
    done = subprocess.run(
        [shell, option, line],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "RAY_ADDRESS": cluster},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert ", unchanged" in done.stdout
