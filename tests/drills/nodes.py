"""Nodes that are lost, join, and are cut off, each in a namespace of its own; nothing is shared but
the S3 server. Every run has to survive with the output of an undisturbed one."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from simsearch.storage.storage import make_folder
from tests.drills.harness import Harness, Place, Row, checks
from tests.drills.run_job import LIMIT_SECONDS, Job, fingerprint
from tests.support import s3_server
from tests.support.namespaces import INSTALL, Machine, Network, ip, usable
from tests.support.node_jobs import RunningJob, sane
from tests.support.ray_cluster import STARTED

INSIDE = "SIMSEARCH_FAULTS_NAMESPACE"
BIN = Path(sys.executable).parent
WORKERS = 3
PORT = 6379
STORE_BYTES = 200 * 2**20
# In their order; not all runs learn.
STEPS = ("train", "extract", "index", "neighbours", "evaluate")
READY_SECONDS = 240
BACK_SECONDS = (5.0, 100.0)  # a cable is out for so long: less, and more, than Ray waits for a node


def in_a_namespace(arguments: list[str]) -> int:
    """Run this program again where the bridge may be: in a namespace of its own."""
    if not usable():
        raise SystemExit(f"faults of nodes need network namespaces: {INSTALL}")
    name = f"simsearch-{uuid.uuid4().hex[:6]}"
    ip("netns", "add", name)
    try:
        command = ["ip", "netns", "exec", name, sys.executable, "-m", "tests.drills", *arguments]
        # PyTorch's workers look for their address by the host's name, which these machines share.
        address = {"GLOO_SOCKET_IFNAME": "eth0"}
        inside = subprocess.Popen(command, env={**os.environ, **address, INSIDE: name})
        try:
            return inside.wait()
        finally:
            inside.terminate()  # whoever is ended ends what it started
            inside.wait()
    finally:
        ip("netns", "del", name)


@dataclass
class NodeCluster:
    """A head without CPUs and workers, as many as are wanted."""

    network: Network
    folder: Path
    head: Machine
    workers: list[Machine] = field(default_factory=list)

    @classmethod
    def start(cls, network: Network, folder: Path) -> NodeCluster:
        head = network.add()
        cluster = cls(network, folder, head)
        cluster._start(
            head, "--head", f"--port={PORT}", "--num-cpus=0", "--include-dashboard=false"
        )
        cluster._wait_for([head])
        return cluster

    @property
    def address(self) -> str:
        return f"{self.head.address}:{PORT}"

    def join(self) -> Machine:
        worker = self.network.add()
        self._start(worker, f"--address={self.address}", "--num-cpus=1")
        self.workers.append(worker)
        return worker

    def fill(self) -> None:
        """Until there are as many workers as in the beginning."""
        self.workers = [worker for worker in self.workers if worker.alive()]
        while len(self.workers) < WORKERS:
            self.join()
        self._wait_for(self.workers)

    def job(self, job: Job, log: Path) -> RunningJob:
        words = [*job.words(), f"ray.address={self.address}"]
        return RunningJob.start(log, "run", *words, prefix=self.head.enter())

    def _start(self, machine: Machine, *options: str) -> None:
        command = [
            str(BIN / "ray"), "start", "--block", "--disable-usage-stats",
            f"--node-ip-address={machine.address}", f"--object-store-memory={STORE_BYTES}",
            *options,
        ]  # fmt: skip
        machine.start(command, self._log(machine))

    def _log(self, machine: Machine) -> Path:
        return self.folder / f"{machine.name}.log"

    def _wait_for(self, machines: list[Machine]) -> None:
        """Until `ray start` has said of each that it is part of the cluster."""
        deadline = time.monotonic() + READY_SECONDS
        for machine in machines:
            log = self._log(machine)
            while STARTED not in log.read_text(errors="replace"):
                if time.monotonic() > deadline:
                    raise SystemExit(f"{machine.name} did not start; see {log}")
                if not machine.alive():  # Ray gives a node 30 s, which a busy machine may miss
                    machine.start(machine.command, log)
                time.sleep(0.2)


@dataclass(frozen=True)
class Strike:
    """What befalls a worker, in which step and how far into it."""

    kind: str
    step: str
    share: float
    joins: bool = False

    @property
    def learns(self) -> bool:
        """Whether the run has something to learn."""
        return self.step == "train"

    def __str__(self) -> str:
        return f"{self.kind}, {self.share:.0%} into {self.step}" + (
            ", another joins" if self.joins else ""
        )


def strikes(seed: int, losses: int) -> list[Strike]:
    """`losses` workers lost, by a kill or by power, of which two are followed by a join; then a cable
    that is out for a moment, and one that is out until the node is given up."""
    rng = random.Random(f"{seed} nodes")
    joins = set(rng.sample(range(losses), min(2, losses)))
    lost = [
        Strike(
            ("killed", "power lost")[(number // len(STEPS) + number) % 2],
            STEPS[number % len(STEPS)],
            rng.uniform(0.05, 0.9),
            number in joins,
        )
        for number in range(losses)
    ]
    cut = [Strike(f"cut off for {seconds:g} s", "extract", 0.3) for seconds in BACK_SECONDS]
    return [*lost, *cut]


def lost_nodes(harness: Harness, losses: int, only: list[int] | None = None) -> None:
    """One run for each strike, on the same cluster, filled up again in between."""
    network = Network(os.environ[INSIDE])
    network.open()
    with ExitStack() as stack:
        server = s3_server.start(harness.folder / "nodes-s3-server", host=network.address)
        stack.callback(server.stop)
        stack.callback(network.close)
        place = Place("nodes", "s3://nodes", server.endpoint)
        make_folder(place.base, place.config)
        place.add_pictures(0, harness.artworks)
        cluster = NodeCluster.start(network, harness.folder)
        cluster.fill()
        calm: dict[bool, Calm] = {}
        for number, strike in enumerate(strikes(harness.seed, losses)):
            if only is None or number in only:
                cluster.fill()
                if strike.learns not in calm:
                    calm[strike.learns] = _undisturbed(harness, cluster, place, strike.learns)
                _strike(harness, cluster, place, number, strike, calm[strike.learns])


@dataclass(frozen=True)
class Calm:
    """How long each step of an undisturbed run took, in seconds, and what came out."""

    times: dict[str, float]
    expected: dict[str, str]


def _undisturbed(harness: Harness, cluster: NodeCluster, place: Place, learns: bool) -> Calm:
    name = "calm-learning" if learns else "calm"
    job = place.job(name, learns=learns)
    running = cluster.job(job, harness.log(f"nodes-{name}"))
    times = _step_times(running)
    if running.code(LIMIT_SECONDS):
        raise SystemExit(f"the undisturbed run failed: see {running.log}")
    return Calm(times, fingerprint(job.storage))


def _step_times(job: RunningJob) -> dict[str, float]:
    """How many seconds each step of a run takes, by its log."""
    began = time.monotonic()
    times: dict[str, float] = {}
    while job.process.poll() is None:
        text = job.text()
        for step in ("ingest", *STEPS):
            if step not in times and _ended(text, step):
                times[step] = time.monotonic() - began
                began = time.monotonic()
        time.sleep(0.1)
    return times


def _ended(text: str, step: str) -> bool:
    return re.search(rf" INFO {step}: [\d,]+ \w+ in ", text) is not None


def _strike(
    harness: Harness,
    cluster: NodeCluster,
    place: Place,
    number: int,
    strike: Strike,
    calm: Calm,
) -> None:
    rng = random.Random(f"{harness.seed} {number}")
    target = place.job(f"struck-{number}", learns=strike.learns)
    running = cluster.job(target, harness.log(f"nodes-{number:02}"))
    _wait_for_moment(running, strike, calm.times)
    taken = STEPS if strike.learns else STEPS[1:]
    struck_in = next((step for step in taken if not _ended(running.text(), step)), "its last steps")
    hit = running.process.poll() is None
    if hit:
        _befall(cluster, rng.choice(cluster.workers), strike)
    try:
        code = running.code(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        code = -1
    outcome = {0: "survived", -1: "HUNG"}.get(code, f"exit {code}")
    harness.add(
        Row(
            place.name,
            str(strike),
            f"in {struck_in}" if hit else "not at all",
            outcome,
            "nothing to resume" if code == 0 else "not resumed",
            {
                "struck before its end": hit,
                "survived": code == 0,
                "progress is true": all(sane(running.progress(step)) for step in STEPS),
                **(checks(target, calm.expected) if code == 0 else {}),
            },
        )
    )


def _wait_for_moment(running: RunningJob, strike: Strike, times: dict[str, float]) -> None:
    """Until the moment of a strike; all steps but extract are timed by the undisturbed run's, and a
    run may be a little faster than that."""
    before = {
        "extract": "ingest",
        "train": "ingest",
        "index": "extract",
        "neighbours": "index",
        "evaluate": "neighbours",
    }

    def reached() -> bool:
        if strike.step == "extract":
            lines = running.progress("extract")
            return any(line.done >= strike.share * line.total > 0 for line in lines)
        return _ended(running.text(), before[strike.step])

    _until(lambda: reached() or running.process.poll() is not None)
    if strike.step != "extract":
        time.sleep(strike.share * times[strike.step])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)


def _befall(cluster: NodeCluster, worker: Machine, strike: Strike) -> None:
    if strike.kind.startswith("cut off"):
        cluster.network.cut(worker)
        time.sleep(float(strike.kind.split()[3]))
        cluster.network.mend(worker)
        return
    if strike.kind == "power lost":
        cluster.network.cut(worker)
    worker.kill()
    if strike.joins:
        cluster.join()
