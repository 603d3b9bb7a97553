"""A one-node Ray cluster as an operator starts it, that ends with the test and takes nobody along."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.processes import ProcessId, end, family_of, free_port, left_over

BIN = Path(sys.executable).parent
READY_SECONDS = 300
STARTED = "This command will now block forever"  # the last line of `ray start --block`


@dataclass(frozen=True)
class RayCluster:
    """A running cluster. `address` is for `ray.init`, `dashboard` for `ray job submit` (where the cluster
    was started with one), `agent` for health checks and `metrics` for Prometheus."""

    process: subprocess.Popen[bytes]
    address: str
    dashboard: str
    agent: str
    metrics: str
    log: Path

    def processes(self) -> list[ProcessId]:
        return family_of(self.process.pid)

    def answers(self) -> bool:
        """Whether the control service takes a connection."""
        host, _, port = self.address.partition(":")
        try:
            socket.create_connection((host, int(port)), timeout=20).close()
        except OSError:
            return False
        return True

    def takes_jobs(self) -> bool:
        try:
            return httpx.get(f"{self.dashboard}/api/version", timeout=20).status_code < 500
        except httpx.TransportError:
            return False


@contextmanager
def ray_cluster(
    *options: str, cpus: int = 2, port: int | None = None, dashboard: bool = False
) -> Iterator[RayCluster]:
    """`ray start --head --block` with ports and a folder of its own, and further `options`.

    With a dashboard, which is a dozen processes, it takes jobs.

    Never `ray stop`: that ends every Ray on the machine, whoever's it is. The node's processes stay
    children of `ray start`, so that they are found, and ended, by their ids.

    It asks for a token, which whatever is started meanwhile shows. Said outright: `ray start --head` takes
    up one that lies in the user's home, `ray job submit` does not.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        with _started((f"--include-dashboard={dashboard}", *options), cpus, port) as cluster:
            if dashboard:
                _wait_until(cluster.takes_jobs, cluster)
            yield cluster


@contextmanager
def _started(options: tuple[str, ...], cpus: int, port: int | None) -> Iterator[RayCluster]:
    # Not pytest's own folder: a path of a socket has to stay below 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    port, dashboard, agent, metrics = port or free_port(), free_port(), free_port(), free_port()
    command = [
        # A test session that is killed can end nothing itself: the system tells `ray start` then.
        "setpriv", "--pdeathsig", "TERM",
        str(BIN / "ray"), "start", "--head", "--block", "--disable-usage-stats",
        f"--temp-dir={folder}", f"--num-cpus={cpus}", "--object-store-memory=500000000",
        "--node-ip-address=127.0.0.1", f"--port={port}", f"--dashboard-port={dashboard}",
        f"--dashboard-agent-listen-port={agent}", f"--metrics-export-port={metrics}",
        f"--ray-client-server-port={free_port()}",
        *options,
    ]  # fmt: skip
    log = folder / "start.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    cluster = RayCluster(
        process,
        f"127.0.0.1:{port}",
        f"http://127.0.0.1:{dashboard}",
        f"http://127.0.0.1:{agent}",
        f"127.0.0.1:{metrics}",
        log,
    )
    try:
        _wait_until(lambda: STARTED in log.read_text(errors="replace"), cluster)
        yield cluster
    finally:
        # At once: the node has nothing to keep, and asked to leave it takes up to twenty seconds.
        members = cluster.processes()
        end(members, seconds=0)
        process.wait()
        left_over(members)
        shutil.rmtree(folder, ignore_errors=True)


def submit(cluster: RayCluster, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """`ray job submit` of a command in a copy of `folder`, waiting for its end."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    where = ["--address", cluster.dashboard, "--working-dir", str(folder)]
    return subprocess.run(
        [str(BIN / "ray"), "job", "submit", *where, "--", *command],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=environment,
    )


def wait_until_jobs_are_taken(cluster: RayCluster, folder: Path) -> None:
    """The dashboard answers before the node's agent, which starts the jobs, has registered."""
    deadline = time.monotonic() + READY_SECONDS
    while (done := submit(cluster, folder, "true")).returncode:
        assert time.monotonic() < deadline, done.stdout + done.stderr


def _wait_until(holds: Callable[[], bool], cluster: RayCluster) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        assert cluster.process.poll() is None, cluster.log.read_text(errors="replace")
        assert time.monotonic() < deadline, cluster.log.read_text(errors="replace")
        time.sleep(0.2)
