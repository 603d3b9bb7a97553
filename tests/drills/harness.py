"""What every kind of fault shares: places, runs without faults, checks, and the table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simsearch.catalog.readers.generated import image_bytes
from simsearch.errors import SimsearchError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage, make_folder
from tests.drills.run_job import Job, counts_add_up, duplicates, fingerprint, problems
from tests.support import s3_server


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

    def job(
        self, root: str, endpoint: str | None = None, *, learns: bool = False, small: bool = False
    ) -> Job:
        source, endpoint = f"{self.base}/pictures", endpoint or self.endpoint
        return Job(source, f"{self.base}/{root}", endpoint, learns, small)

    def add_pictures(self, start: int, stop: int) -> None:
        storage = Storage(self.base, self.config)
        for number in range(start, stop):
            storage.write_bytes(f"pictures/{number:05}.jpg", image_bytes(5, number))


def checks(job: Job, expected: dict[str, str]) -> dict[str, bool]:
    return {
        "same output": fingerprint(job.storage) == expected,
        "no duplicate rows": duplicates(latest_snapshot(job.storage)) == 0,
        "counts add up": counts_add_up(latest_snapshot(job.storage)),
        "LATEST whole": not problems(job.storage),
    }


def undisturbed(harness: Harness, job: Job, name: str) -> tuple[dict[str, str], float]:
    """What a run without faults makes, and its seconds."""
    started = time.monotonic()
    code = job.finish(harness.log(name))
    if code:
        raise SystemExit(f"the undisturbed run failed: see {harness.log(name)}")
    return fingerprint(job.storage), time.monotonic() - started


def problems_or_empty(job: Job) -> list[str]:
    try:
        return problems(job.storage)
    except SimsearchError as error:
        return [str(error)]


def outcome(code: int, log: Path) -> str:
    if code == 0:
        return "survived by trying again"
    if code == -1:
        return "HUNG"
    errors = [
        line for line in log.read_text(errors="replace").splitlines() if line.startswith("error: ")
    ]
    return f"exit {code}: {errors[-1][:110] if errors else 'no error line'}"


def one_line(log: Path) -> bool:
    text = log.read_text(errors="replace")
    return "Traceback" not in text and text.count("\nerror: ") == 1


@contextmanager
def places(folder: Path, only: str | None) -> Iterator[list[Place]]:
    local = [Place("local", str(folder / "local"))] if only != "s3" else []
    if only == "local":
        yield local
        return
    if missing := s3_server.missing_programs():
        raise SystemExit(f"no {', '.join(missing)}; install them: {s3_server.INSTALL}")
    server = s3_server.start(folder / "s3-server")
    try:
        place = Place("s3", "s3://faults", server.endpoint)
        make_folder(place.base, place.config)
        yield [*local, place]
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
