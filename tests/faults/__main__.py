"""`python -m tests.faults`: what `make faults` runs. Prints a table; exit code 1 if a check failed."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simsearch.catalog.readers.generated import image_bytes
from simsearch.config import StorageConfig
from simsearch.errors import SimsearchError
from simsearch.storage.storage import Storage, make_folder
from tests.faults import proxy as proxies
from tests.faults.run_job import (
    LIMIT_SECONDS,
    TARGETS,
    Job,
    counts_add_up,
    duplicates,
    fingerprint,
    kill_one,
    problems,
    wait,
)
from tests.support import s3_server
from tests.support.processes import ProcessId, command_line, family_of, left_over

SHARES = {
    "500": 0.1,
    "503": 0.1,
    "reset": 0.1,
    "stall": 0.02,
    "403": 0.02,
    "truncated": 0.1,
    "full": 0.1,
}
MORE_PER_ROUND = 6  # artworks added in each round, so that there is work to kill
GONE_SECONDS = 90.0  # a dead driver's idle Ray agents look 60 s for its GCS, then go: 62 s measured


@dataclass
class Row:
    """One line of the table."""

    place: str
    fault: str
    struck: str
    first: str
    resumed: str
    checks: dict[str, bool] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(self.checks.values())


@dataclass
class Harness:
    """The collection, the places and the log folder of one invocation."""

    folder: Path
    seed: int
    artworks: int
    console: Console
    rows: list[Row] = field(default_factory=list)

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '-')}.log"

    def add(self, row: Row) -> None:
        self.rows.append(row)
        failed = [name for name, good in row.checks.items() if not good]
        state = "ok" if row.passed else f"FAILED: {', '.join(failed)}"
        self.console.print(
            f"{row.place}: {row.fault}: struck {row.struck}; first run {row.first}; {row.resumed}: {state}"
        )


@dataclass(frozen=True)
class Place:
    """Where images and roots lie: local disk, or the S3 server."""

    name: str
    base: str
    endpoint: str | None = None

    @property
    def config(self) -> StorageConfig:
        return StorageConfig(endpoint_url=self.endpoint)

    def job(self, root: str, endpoint: str | None = None) -> Job:
        return Job(f"{self.base}/pictures", f"{self.base}/{root}", endpoint or self.endpoint)

    def add_pictures(self, start: int, stop: int) -> None:
        storage = Storage(self.base, self.config)
        for number in range(start, stop):
            storage.write_bytes(f"pictures/{number:05}.jpg", image_bytes(5, number))


def checks(job: Job, expected: dict[str, str]) -> dict[str, bool]:
    return {
        "same output": fingerprint(job.storage) == expected,
        "no duplicate rows": duplicates(job.storage) == 0,
        "counts add up": counts_add_up(job.storage),
        "LATEST whole": not problems(job.storage),
    }


def undisturbed(harness: Harness, job: Job, name: str) -> tuple[dict[str, str], float]:
    """What a run without faults makes, and its seconds."""
    started = time.monotonic()
    code = job.finish(harness.log(name))
    if code:
        raise SystemExit(f"the undisturbed run failed: see {harness.log(name)}")
    return fingerprint(job.storage), time.monotonic() - started


def kills_in_a_row(harness: Harness, place: Place, kills: int) -> None:
    """One root, one kill after another at random moments, LATEST checked after each."""
    rng = random.Random(f"{harness.seed} {place.name}")
    job = place.job("killed")
    pictures = harness.artworks
    _, seconds = undisturbed(harness, job, f"{place.name}-before-the-kills")
    harness.console.print(f"{place.name}: a whole run takes {seconds:.0f} s")
    struck: dict[str, int] = dict.fromkeys(TARGETS, 0)
    ends: dict[str, int] = {}
    broken: list[str] = []
    families: dict[ProcessId, str] = {}
    hung = number = 0
    while number < kills:
        place.add_pictures(pictures, pictures + MORE_PER_ROUND)
        pictures += MORE_PER_ROUND
        target = TARGETS[number % len(TARGETS)]
        moment = rng.uniform(0.1, 1.0) * seconds
        log = harness.log(f"{place.name}-kill-{number:02}-{target}")
        started = time.monotonic()
        process = job.start(log)
        deadline = started + moment
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        families |= {member: command_line(member.pid) for member in family_of(process.pid)}
        hit = False
        while process.poll() is None and not (hit := kill_one(process.pid, target, rng)):
            time.sleep(0.2)
        try:
            code = wait(process, LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            hung += 1
            code = -1
        lasted = time.monotonic() - started
        broken += [f"{number}: {problem}" for problem in problems(job.storage)]
        if not hit:
            harness.console.print(f"{place.name}: ended before the kill, exit code {code}")
            seconds = min(seconds, lasted)
            continue
        struck[target] += 1
        end = _end(code, log)
        ends[end] = ends.get(end, 0) + 1
        harness.console.print(
            f"{place.name}: kill {number + 1} of {kills}: {target} after {moment:.1f} s, run {end}"
        )
        number += 1
    resumed = job.finish(harness.log(f"{place.name}-after-the-kills"))
    leftover = left_over(families, GONE_SECONDS)
    for process_id in leftover:
        harness.console.print(
            f"{place.name}: left over: {families[process_id][:120]}", markup=False
        )
    expected, _ = undisturbed(harness, place.job("compared"), f"{place.name}-compared")
    harness.add(
        Row(
            place.name,
            f"{kills} kills in a row",
            ", ".join(f"{count} {target}" for target, count in struck.items()),
            ", ".join(f"{count} {end}" for end, count in ends.items()),
            "resumed" if resumed == 0 else f"exit {resumed}",
            {
                "LATEST whole after each": not broken,
                "none hung": hung == 0,
                "no process left over": not leftover,
                "resumes": resumed == 0,
                **checks(job, expected),
            },
        )
    )


def store_faults(harness: Harness, place: Place) -> None:
    """One root per kind of fault: a run with faults, then one without."""
    assert place.endpoint is not None
    expected, _ = undisturbed(harness, place.job("calm"), "s3-calm")
    with proxies.faulty_proxy(place.endpoint, harness.seed) as proxy:
        for kind, share in SHARES.items():
            job = place.job(f"fault-{kind}", proxy.endpoint)
            proxy.inject(kind, share)
            _strike(harness, job, place.name, kind, expected, proxy.injected.total, proxy)


def _strike(
    harness: Harness,
    job: Job,
    place: str,
    kind: str,
    expected: dict[str, str],
    struck: Callable[[], int],
    proxy: proxies.FaultyProxy,
) -> None:
    name = f"{place}-fault-{kind}"
    try:
        first = job.finish(harness.log(name))
    except subprocess.TimeoutExpired:
        first = -1
    injected = struck()
    proxy.inject(None, 0)
    whole = not _problems_or_empty(job)
    resumed = first if first == 0 else job.finish(harness.log(f"{name}-resumed"))
    harness.add(
        Row(
            place,
            kind,
            f"{injected} requests",
            _outcome(first, harness.log(name)),
            "nothing to resume" if first == 0 else f"resumed, exit {resumed}",
            {
                "faults were injected": injected > 0,
                "not hung": first != -1,
                "ended in one line": first == 0 or _one_line(harness.log(name)),
                "LATEST whole before": whole,
                "ends well": resumed == 0,
                **checks(job, expected),
            },
        )
    )


def full_disk(harness: Harness, place: Place) -> None:
    """The root on a small file system that fills up; then it is made larger, as an operator would."""
    roomy = place.job("roomy")
    expected, _ = undisturbed(harness, roomy, "local-roomy")
    room = sum(info.size for info in roomy.storage.files()) * 6 // 10 // 1024
    with small_disk(harness.folder / "disk", room) as (folder, grow):
        if folder is None:
            harness.console.print("full disk: SKIPPED: mounting a small file system needs root")
            return
        job = Job(f"{place.base}/pictures", str(folder / "root"))
        first = job.finish(harness.log("local-full-disk"))
        whole = not _problems_or_empty(job)
        grow()
        resumed = job.finish(harness.log("local-full-disk-resumed"))
        harness.add(
            Row(
                place.name,
                "full disk",
                f"{room:,} KiB of room",
                _outcome(first, harness.log("local-full-disk")),
                f"resumed, exit {resumed}",
                {
                    "the disk was full": first == 1,
                    "ended in one line": _one_line(harness.log("local-full-disk")),
                    "LATEST whole before": whole,
                    "ends well": resumed == 0,
                    **checks(job, expected),
                },
            )
        )


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[tuple[Path | None, Callable[[], None]]]:
    folder.mkdir()

    def mount(*options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not mount(f"size={kib}k"):
        yield None, lambda: None
        return
    try:
        yield folder, lambda: (mount("remount", "size=2g"), None)[1]
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def _problems_or_empty(job: Job) -> list[str]:
    try:
        return problems(job.storage)
    except SimsearchError as error:
        return [str(error)]


def _outcome(code: int, log: Path) -> str:
    if code == 0:
        return "survived by trying again"
    if code == -1:
        return "HUNG"
    errors = [
        line for line in log.read_text(errors="replace").splitlines() if line.startswith("error: ")
    ]
    return f"exit {code}: {errors[-1][:110] if errors else 'no error line'}"


def _end(code: int, log: Path) -> str:
    """How a run ended that a process was killed of.

    Without a line of its own mostly where Ray's C++ ends a driver whose raylet is gone.
    """
    failed = "failed with a line" if _one_line(log) else "failed without one"
    return {0: "survived", 1: failed, -9: "dead"}.get(code, f"exit {code}")


def _one_line(log: Path) -> bool:
    text = log.read_text(errors="replace")
    return "Traceback" not in text and text.count("\nerror: ") == 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults")
    parser.add_argument("--kills", type=int, default=20, help="kills in a row, per place")
    parser.add_argument("--artworks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--only", choices=("kills", "faults", "disk"), help="one part only")
    parser.add_argument("--place", choices=("local", "s3"), help="one place only")
    options = parser.parse_args()
    os.environ.update(
        AWS_ACCESS_KEY_ID=s3_server.ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=s3_server.SECRET_KEY,
        AWS_DEFAULT_REGION="us-east-1",
    )
    folder = Path(tempfile.mkdtemp(prefix="simsearch-faults-"))
    harness = Harness(folder, options.seed, options.artworks, Console(width=160, highlight=False))
    harness.console.print(f"seed {options.seed}; logs in {folder}")
    parts = [options.only] if options.only else ["kills", "faults", "disk"]
    with places(folder, options.place) as found:
        for place in found:
            place.add_pictures(0, options.artworks)
            if "disk" in parts and place.endpoint is None:
                full_disk(harness, place)
            if "faults" in parts and place.endpoint is not None:
                store_faults(harness, place)
            if "kills" in parts:
                kills_in_a_row(harness, place, options.kills)
    print_table(harness)
    sys.exit(not (harness.rows and all(row.passed for row in harness.rows)))


@contextmanager
def places(folder: Path, only: str | None) -> Iterator[list[Place]]:
    found = [Place("local", str(folder / "local"))] if only != "s3" else []
    if only == "local":
        yield found
        return
    if missing := s3_server.missing_programs():
        raise SystemExit(f"no {', '.join(missing)}; install them: {s3_server.INSTALL}")
    server = s3_server.start(folder / "s3-server")
    try:
        place = Place("s3", "s3://faults", server.endpoint)
        make_folder(place.base, place.config)
        yield [*found, place]
    finally:
        server.stop()


def print_table(harness: Harness) -> None:
    table = Table(
        "place", "fault", "struck", "first run", "then", "checks", title=f"seed {harness.seed}"
    )
    for row in harness.rows:
        failed = [name for name, good in row.checks.items() if not good]
        verdict = f"{len(row.checks)} of {len(row.checks)}" if not failed else f"FAILED {failed}"
        table.add_row(row.place, row.fault, row.struck, row.first, row.resumed, verdict)
    harness.console.print(table)


if __name__ == "__main__":
    main()
