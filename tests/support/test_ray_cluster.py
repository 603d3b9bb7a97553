"""The tests end every process that they start, and no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import family_of, left_over
from tests.support.ray_cluster import ray_cluster

PROJECT = Path(__file__).parents[2]
LOCAL_SESSION = """
from simsearch.settings.config import RayConfig
from simsearch.runtime.ray_session import ray_session
with ray_session(RayConfig(cpus=1)):
    pass
"""


HELD_CLUSTER = """
import time
from tests.support.ray_cluster import ray_cluster
with ray_cluster(cpus=1) as cluster:
    print(cluster.process.pid, flush=True)
    time.sleep(120)
"""


@pytest.mark.ray
@pytest.mark.drill
def test_a_test_session_that_is_killed_leaves_no_cluster_behind() -> None:
    command = [sys.executable, "-c", HELD_CLUSTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as session:
        assert session.stdout is not None
        cluster = family_of(int(session.stdout.readline()))
        assert len(cluster) > 3
        session.kill()
    assert not left_over(cluster)


@pytest.mark.ray
@pytest.mark.drill
def test_a_foreign_cluster_survives_ours() -> None:
    with ray_cluster(cpus=1) as foreign:
        theirs = foreign.processes()
        with ray_cluster(cpus=1) as ours:
            mine = ours.processes()
            assert len(mine) > 3  # `ray start`, gcs_server, raylet and its agents
        subprocess.run([sys.executable, "-c", LOCAL_SESSION], check=True, timeout=400)
        assert not left_over(mine, seconds=0)
        assert [process for process in theirs if not process.alive()] == []
        assert foreign.answers()
    assert not left_over(theirs, seconds=0)


@pytest.mark.slow
def test_no_file_ends_processes_by_their_name() -> None:
    """`ray stop` ends every Ray on the machine, and `pkill` every process of that name."""
    by_name = re.compile(r"""\bray["', ]+stop\b|\b(pkill|killall)\b""")
    files = [
        *(PROJECT / "tests").rglob("*.py"), *(PROJECT / "simsearch").rglob("*.py"),
        *(PROJECT / ".ci").iterdir(), PROJECT / "Makefile",
    ]  # fmt: skip
    guilty = [
        f"{path}: {line}"
        for path in files
        if path != Path(__file__) and path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if by_name.search(line) and "`ray stop`" not in line
    ]
    assert guilty == []
