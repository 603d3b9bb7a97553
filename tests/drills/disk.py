"""A disk that fills up."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drills.harness import (
    Harness,
    Place,
    Row,
    checks,
    one_line,
    outcome,
    problems_or_empty,
    undisturbed,
)
from tests.drills.run_job import Job


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
        whole = not problems_or_empty(job)
        grow()
        resumed = job.finish(harness.log("local-full-disk-resumed"))
        harness.add(
            Row(
                place.name,
                "full disk",
                f"{room:,} KiB of room",
                outcome(first, harness.log("local-full-disk")),
                f"resumed, exit {resumed}",
                {
                    "the disk was full": first == 1,
                    "ended in one line": one_line(harness.log("local-full-disk")),
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
