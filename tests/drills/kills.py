"""Kills: the driver, a worker or the raylet, one after another at random moments."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from tests.drills.harness import Harness, Place, Row, checks, one_line, undisturbed
from tests.drills.run_job import LIMIT_SECONDS, TARGETS, kill_one, problems, wait
from tests.support.processes import ProcessId, command_line, family_of, left_over

MORE_PER_ROUND = 6  # artworks added in each round, so that there is work to kill


GONE_SECONDS = 90.0  # a dead driver's idle Ray agents look 60 s for its GCS, then go: 62 s measured


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
        families |= _alive_after(process, moment)
        hit = _strike(process, target, rng)
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
    _say_left_over(harness, place, [families[process_id] for process_id in leftover])
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


def _say_left_over(harness: Harness, place: Place, lines: list[str]) -> None:
    for line in lines:
        harness.console.print(f"{place.name}: left over: {line[:120]}", markup=False)


def _alive_after(process: subprocess.Popen[bytes], seconds: float) -> dict[ProcessId, str]:
    """The job's processes and their command lines once `seconds` have passed, or it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    return {member: command_line(member.pid) for member in family_of(process.pid)}


def _strike(process: subprocess.Popen[bytes], target: str, rng: random.Random) -> bool:
    """Kill one of the job's processes as soon as there is one; whether there was before it ended."""
    while process.poll() is None:
        if kill_one(process.pid, target, rng):
            return True
        time.sleep(0.2)
    return False


def _end(code: int, log: Path) -> str:
    """How a run ended that a process was killed of.

    Without a line of its own mostly where Ray's C++ ends a driver whose raylet is gone.
    """
    failed = "failed with a line" if one_line(log) else "failed without one"
    return {0: "survived", 1: failed, -9: "dead"}.get(code, f"exit {code}")
