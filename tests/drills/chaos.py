"""Nights of chaos: a collection that changes, runs that are killed or lose their lease, a damaged root,
garbage collection beside a run.

The runs share this process and its Ray: a kill is an exception at one of the driver's writes, after which
none gets through. An operator does in the morning what the night's message says. After the last night
everything must be as if one run had made it from nothing.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simsearch.catalog.readers.generated import image_bytes
from simsearch.errors import SimsearchError
from simsearch.runtime.ray_session import ray_session
from simsearch.settings.config import load_config
from simsearch.snapshots.published import latest_snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.drills.damage import DAMAGES, damaged
from tests.drills.harness import Harness, Place, Row, checks
from tests.drills.remedies import command, follow
from tests.drills.run_job import Job, fingerprint
from tests.support.leases import write_foreign

EVENTS = ("calm", "kill", "damage", "takeover", "garbage collection")
WRITES = ("write_bytes", "delete", "upload", "replace")
KILLED = -9
LEASE_SECONDS = 3
FEWEST, MOST = 12, 40  # pictures
MORNINGS = 8  # runs until the last night ends well: each names at least one more damaged file


class KilledError(BaseException):
    """Ends a command as SIGKILL does: nobody catches it."""


@dataclass
class Nights:
    """The job, what has happened to it so far, and what was wrong with that."""

    harness: Harness
    job: Job
    pictures: Storage
    rng: random.Random
    writes: int = 30  # of the last run, by which moments are chosen
    numbers: dict[str, int] = field(default_factory=dict)  # name of a picture → what it shows
    made: int = 0
    damaged: bool = False
    events: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def where(self) -> list[str]:
        words = [f"root={self.job.root}"]
        if self.job.endpoint is not None:
            words.append(f"storage.endpoint_url={self.job.endpoint}")
        return words

    def change(self) -> None:
        """Add, remove, replace and rename a few pictures."""
        for _ in range(self.rng.randint(0, 3) if len(self.numbers) > FEWEST else FEWEST):
            self._put(f"{self.made:04}.jpg")
        few = [] if len(self.numbers) <= FEWEST else sorted(self.numbers)
        for name in self.rng.sample(few, min(len(few), self.rng.randint(0, 2))):
            fate = self.rng.choice(["removed", "replaced", "renamed"])
            if len(self.numbers) > MOST:
                fate = "removed"
            number = self.numbers[name]
            if fate == "replaced":
                self._put(name)
                continue
            del self.numbers[name]
            self.pictures.delete(name)
            if fate == "renamed":
                self._put(f"renamed-{name}", number)

    def _put(self, name: str, number: int | None = None) -> None:
        if number is None:
            number, self.made = self.made, self.made + 1
        self.numbers[name] = number
        self.pictures.write_bytes(name, image_bytes(5, number))

    def night(self, number: int) -> None:
        """One night: a change, an event, what its message says."""
        event = self.rng.choices(EVENTS, (1, 3, 3, 2, 1))[0] if number else "calm"
        self.change()
        if event == "damage":
            event = self._damage()
        struck = {"kill": self._killed, "takeover": self._taken_over}.get(event)
        beside = threading.Thread(target=self._collect_garbage)
        if event == "garbage collection":
            beside.start()
        at = self.rng.randrange(self.writes)
        code, err, self.writes = run_struck(self.job.words(), at, struck)
        if event == "garbage collection":
            beside.join()
        self._judge(number, event, code, err)

    def _killed(self) -> None:
        raise KilledError

    def _taken_over(self) -> None:
        """Another machine's run takes the lease, as after this one slept, and dies."""
        write_foreign(
            self.job.storage, token=10**6 + self.made, expires=time.time() + LEASE_SECONDS
        )

    def _damage(self) -> str:
        storage = self.job.storage
        info = self.rng.choice(storage.files())
        damage = self.rng.choice(DAMAGES)
        data = damaged(storage.read_bytes(info.path), damage, self.rng)
        if data is None:
            storage.delete(info.path)
        else:
            storage.write_bytes(info.path, data)
        self.damaged = True
        return f"damage {info.path} {damage}"

    def _collect_garbage(self) -> None:
        """`snapshots gc` in a process of its own, beside the run."""
        words = ("snapshots", "gc", "--keep=1", "--grace=0s", "lease.wait=60", *self.where)
        command = [sys.executable, "-m", "simsearch", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1) or done.stderr.count("error: ") != done.returncode:
            self.wrong.append(f"gc: exit {done.returncode}: {done.stderr}"[:300])

    def _judge(self, number: int, event: str, code: int, err: str) -> None:
        end = {0: "well", 1: "one line", KILLED: "killed"}.get(code, f"exit {code}")
        lines = [line for line in err.splitlines() if line.startswith("error: ")]
        if (code == 1 and len(lines) != 1) or "Traceback" in err:
            end = "without a line"
        kind = event.partition(" ")[0]
        self.events[kind] += 1
        self.ends[end] += 1
        self.harness.console.print(
            f"night {number}: {len(self.numbers)} pictures, {event}: {end} {lines[-1][:250] if lines else ''}",
            markup=False,
        )
        if end not in ("well", "one line", "killed"):
            self.wrong.append(f"night {number}: {event}: {end}: {err[-300:]}")
        if code == 1 and not self.damaged and kind != "takeover":
            self.wrong.append(f"night {number}: {event}: failed: {lines}")
        if code == 1 and lines:
            follow(self.job.storage, lines[-1], self.where)
        if not self.damaged and (problems := self._problems()):
            self.wrong.append(f"night {number}: {event}: {problems[0]}")

    def _problems(self) -> list[str]:
        try:
            return list(verify(latest_snapshot(self.job.storage)))
        except SimsearchError as error:
            return [str(error)] if self.job.storage.exists("LATEST") else []

    def last(self) -> int:
        """Run until all is well, doing what each message says; returns how many runs that took."""
        for number in range(1, MORNINGS + 1):
            code, _, text = command("run", *self.job.words())
            if code == 0:
                command("snapshots", "gc", "--keep=1", "--grace=0s", *self.where)
                code, out, err = command("snapshots", "verify", *self.where)
                text = out + err
            if code == 0:
                return number
            self.harness.console.print(f"last night: {text.strip()[-400:]}", markup=False)
            follow(self.job.storage, text, self.where)
        self.wrong.append(f"not whole after {MORNINGS} runs")
        return MORNINGS


def run_struck(
    words: list[str], at: int, strike: Callable[[], None] | None
) -> tuple[int, str, int]:
    """Run the job, struck at its write number `at`; its exit code (KILLED: it was killed), what it printed,
    and the number of its writes."""
    plain = {name: getattr(Storage, name) for name in WRITES}
    count, dead = 0, False

    def counted(name: str) -> Callable[..., object]:
        def write(own: Storage, *given: object) -> object:
            nonlocal count, dead
            count += 1
            if dead:
                raise KilledError
            if strike is not None and count == at + 1:
                try:
                    strike()
                except KilledError:
                    dead = True
                    raise
            return plain[name](own, *given)

        return write

    for name in WRITES:
        setattr(Storage, name, counted(name))
    try:
        code, _, err = command("run", *words)
    except KilledError:
        code, err = KILLED, ""
    finally:
        for name in WRITES:
            setattr(Storage, name, plain[name])
    return code, err, max(count, 10)


def chaos(harness: Harness, place: Place, count: int) -> None:
    """So many nights on one root; then a run from nothing beside it."""
    rng = random.Random(f"{harness.seed} chaos")
    job = place.job("chaos", small=True)
    nights = Nights(harness, job, Storage(f"{place.base}/pictures", place.config), rng)
    for info in nights.pictures.files():
        nights.pictures.delete(info.path)
    started = time.monotonic()
    fresh = place.job("from-nothing", small=True)
    with ray_session(load_config(None, job.words()).ray):
        for number in range(count):
            nights.night(number)
        runs = nights.last()
        seconds = time.monotonic() - started
        code, _, err = command("run", *fresh.words())
    if code:
        raise SystemExit(f"the run from nothing failed: {err}")
    expected = fingerprint(fresh.storage)
    for line in nights.wrong:
        harness.console.print(f"wrong: {line}", markup=False)
    harness.add(
        Row(
            place.name,
            f"{count} nights of chaos",
            ", ".join(f"{n} {event}" for event, n in nights.events.items()),
            ", ".join(f"{n} {end}" for end, n in nights.ends.items()),
            f"{runs} runs until all was well, {seconds:.0f} s",
            {"nothing wrong on the way": not nights.wrong, **checks(job, expected)},
        )
    )
