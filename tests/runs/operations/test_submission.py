"""Jobs on a real Ray cluster, submitted as an operator or a schedule submits them. A submitter may be killed
and started again: the job runs once, and its code is told."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from simsearch.errors import SimsearchError
from simsearch.runs.operations.submission import (
    STOPPED,
    Submission,
    list_left_behind,
    submit_and_follow,
)
from simsearch.settings.config import load_config
from simsearch.settings.shown import settings_text
from simsearch.snapshots.published import latest_snapshot
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import Storage
from tests.cli.test_main import SMALL
from tests.support.places import Place
from tests.support.processes import free_port
from tests.support.ray_cluster import RayCluster, ray_cluster, submit, wait_until_jobs_are_taken
from tests.support.serving import serving

PROJECT = Path(__file__).parents[3]

JOB = """
import pathlib, sys, time
started = pathlib.Path(sys.argv[1])
with started.open("a") as file:
    file.write("started\\n")
print("the job has begun", flush=True)
while not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.1)
print("the job's last line", flush=True)
sys.exit(int(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def cluster(credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    with ray_cluster(dashboard=True) as cluster:
        wait_until_jobs_are_taken(cluster, tmp_path_factory.mktemp("empty"))
        yield cluster


class Slot:
    """A job of one schedule slot, and who submits it."""

    def __init__(self, cluster: RayCluster, folder: Path, name: str) -> None:
        self.cluster, self.folder, self.name = cluster, folder, name

    def submitter(self, code: int) -> subprocess.Popen[str]:
        job = [sys.executable, "-c", JOB, str(self.folder / "started"), str(self.folder / "go")]
        return subprocess.Popen(
            [
                sys.executable, str(PROJECT / "jobs" / "submit.py"), self.name,
                "--address", self.cluster.dashboard, "--", *job, str(code),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip

    def finish(self) -> None:
        (self.folder / "go").touch()

    def starts(self) -> int:
        return len((self.folder / "started").read_text().splitlines())


@pytest.mark.drill
def test_a_killed_submitters_job_is_followed_run_again_if_it_failed_and_not_if_it_succeeded(
    cluster: RayCluster, tmp_path: Path
) -> None:
    slot = Slot(cluster, tmp_path, "simsearch-29402220")
    killed = slot.submitter(3)
    assert killed.stdout is not None
    assert any("the job has begun" in line for line in killed.stdout)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    retried = slot.submitter(3)
    assert retried.stdout is not None
    assert "following it" in retried.stdout.readline()
    slot.finish()
    rest, _ = retried.communicate(timeout=400)
    assert "the job's last line" in rest
    assert "simsearch-29402220 failed, exit code 3" in rest
    assert retried.returncode == 3
    assert slot.starts() == 1
    outputs = [slot.submitter(0).communicate(timeout=400)[0] for _ in range(2)]
    assert "simsearch-29402220-2 succeeded, exit code 0" in outputs[0]
    assert "simsearch-29402220-2 has succeeded already" in outputs[1]
    assert "the job's last line" in outputs[1]
    assert slot.starts() == 2


def test_a_job_that_is_stopped_stays_stopped_whoever_submits_it_again(
    cluster: RayCluster, tmp_path: Path
) -> None:
    slot = Slot(cluster, tmp_path, "simsearch-29405100")
    first = slot.submitter(0)
    assert first.stdout is not None
    assert any("the job has begun" in line for line in first.stdout)
    ray = str(Path(sys.executable).parent / "ray")
    stop = [ray, "job", "stop", slot.name, "--address", cluster.dashboard]
    subprocess.run(stop, check=True, capture_output=True, timeout=400)
    rest, _ = first.communicate(timeout=400)
    assert f"{slot.name} stopped, exit code {STOPPED}" in rest
    next_pod = slot.submitter(0)
    said, _ = next_pod.communicate(timeout=400)
    assert "was stopped and is not started again" in said
    assert (first.returncode, next_pod.returncode) == (STOPPED, STOPPED)
    assert slot.starts() == 1


def test_variables_that_a_job_does_not_get_are_named_without_their_values() -> None:
    environment = {
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://s3",
        "https_proxy": "http://me:secret@proxy",
        "NO_PROXY": "",
        "SIMSEARCH_EXPLORE_TOKEN": "secret",
        "RAY_AUTH_TOKEN": "secret",
        "PATH": "/bin",
    }
    assert list_left_behind(environment) == [
        "AWS_ENDPOINT_URL",
        "AWS_SECRET_ACCESS_KEY",
        "SIMSEARCH_EXPLORE_TOKEN",
        "https_proxy",
    ]


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SimsearchError, match=rf"cannot reach Ray's dashboard at {address}"):
        submit_and_follow(Submission("slot", ("true",)), address=address, patience=1.0)


class _Dashboard(BaseHTTPRequestHandler):
    """A dashboard to which a job is submitted at once by this submitter and, with `rival`, another."""

    rival = False
    taken = False

    def do_GET(self) -> None:
        done = {"type": "SUBMISSION", "submission_id": "slot", "entrypoint": "true"}
        answers = {
            "/api/version": {"version": "4", "ray_version": "2.60.0", "ray_commit": ""},
            "/api/jobs/slot": {**done, "status": "SUCCEEDED", "driver_exit_code": 0},
            "/api/jobs/slot/logs": {"logs": "the job's line\n"},
        }
        if "jobs" in self.path and not self.taken:
            self._answer(404, "no such job")
        else:
            self._answer(200, json.dumps(answers[self.path]))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).taken = True
        if self.rival:
            self._answer(500, "ValueError: job slot already exists")
        else:
            self._answer(200, json.dumps({"job_id": "slot", "submission_id": "slot"}))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("rival", [False, True])
def test_a_submitter_says_whether_it_was_first_and_what_it_did_not_send(
    rival: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Dashboard, "rival", rival)
    monkeypatch.setattr(_Dashboard, "taken", False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never-shown")
    output = io.StringIO()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Dashboard)
    with serving(server):
        address = f"http://127.0.0.1:{server.server_address[1]}"
        job = Submission("slot", ("true",))
        assert submit_and_follow(job, address=address, patience=1.0, output=output) == 0
    said = output.getvalue()
    assert ("slot was submitted by another meanwhile; following it" in said) == rival
    assert ("submitted slot\n" in said) != rival
    assert ("AWS_SECRET_ACCESS_KEY" in said) != rival
    assert "never-shown" not in said
    assert said.endswith("the job's line\nslot succeeded, exit code 0\n")


class _Refusing(BaseHTTPRequestHandler):
    """A dashboard that wants another token, in the words of Ray's own."""

    def do_GET(self) -> None:
        body = b"Forbidden: Invalid authentication token"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def test_a_wrong_token_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong" * 8)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    with serving(server):
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(SimsearchError, match="RAY_AUTH_TOKEN to the cluster's own") as raised:
            submit_and_follow(Submission("slot", ("true",)), address=address, patience=1.0)
    assert "\n" not in str(raised.value)


def settings(place: Place) -> list[str]:
    endpoint = place.config.endpoint_url or "null"
    return [f"root={place.root}", f"storage.endpoint_url={endpoint}", *SMALL]


@pytest.mark.slow
def test_a_job_that_cannot_begin_exits_non_zero_and_says_why(tmp_path: Path) -> None:
    words = [f"root={tmp_path}/root", "extract.backbones=[vgg17]"]
    command = [sys.executable, str(PROJECT / "jobs" / "run.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 2
    assert "no encoder named 'vgg17'" in done.stderr


@pytest.mark.drill
def test_rays_own_command_runs_a_job_whole_on_the_s3_server(
    cluster: RayCluster, s3_place: Place
) -> None:
    done = submit(cluster, PROJECT / "jobs", sys.executable, "run.py", *settings(s3_place))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert latest_snapshot(Storage(s3_place.root, s3_place.config)).images().num_rows == 8 * 6
    assert "published snapshot" in done.stdout + done.stderr


@pytest.mark.drill
def test_the_cronjobs_own_command_runs_a_job_whole_on_the_s3_server(
    cluster: RayCluster, s3_place: Place, tmp_path: Path
) -> None:
    """The manifest's command, with the image's folders replaced by this machine's."""
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
    storage = Storage(s3_place.root, s3_place.config)
    open_root(storage)  # as a first run did that got no further
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "RAY_ADDRESS": cluster.dashboard},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    snapshot = latest_snapshot(storage)
    assert snapshot.images().num_rows == 8 * 6
    assert f"published snapshot {snapshot.snapshot_id}" in done.stdout
