"""A job on a cluster of several nodes, as a process of its own whose log is read while it goes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PROGRESS = re.compile(r"(\w+): ([\d,]+) of ([\d,]+) \w+ \((\d+) %\), [\d,.]+ \w+/s, (.*)$")


@dataclass(frozen=True)
class Progress:
    """One line of progress."""

    step: str
    done: int
    total: int
    left: str


@dataclass
class RunningJob:
    """`python -m simsearch` with a log."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, log: Path, *words: str, prefix: tuple[str, ...] = (), folder: Path | None = None
    ) -> RunningJob:
        """`prefix` stands before the command, which runs in `folder`."""
        command = [*prefix, sys.executable, "-X", "faulthandler", "-m", "simsearch", *words]
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
            return cls(process, log)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def progress(self, step: str) -> list[Progress]:
        matches = (PROGRESS.search(line) for line in self.text().splitlines())
        return [
            Progress(step, int(match[2].replace(",", "")), int(match[3].replace(",", "")), match[5])
            for match in matches
            if match is not None and match[1] == step
        ]

    def wait_until_done(self, step: str, share: float, seconds: float = 400) -> None:
        """Wait until this share of a step is done. Raises AssertionError if the job ends before."""
        self._wait(lambda: any(p.done >= share * p.total for p in self.progress(step)), seconds)

    def wait_for_line(self, words: str, seconds: float = 400) -> None:
        self._wait(lambda: words in self.text(), seconds)

    def _wait(self, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            if holds():
                return
            assert not ended, self.text()[-3000:]
            assert time.monotonic() < deadline, self.text()[-3000:]
            time.sleep(0.1)

    def code(self, seconds: float = 500) -> int:
        """The exit code. A job that hangs is ended; raises AssertionError with its log and where it hung."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(
                signal.SIGABRT
            )  # faulthandler writes the stacks of all threads
            self.process.wait()
            raise AssertionError(f"still at work after {seconds:g} s: {self.text()}") from None


def sane(lines: list[Progress]) -> bool:
    """Whether progress is plausible: it never goes back or above the total, and the time left is never
    negative. A run that fits heads extracts several times, each time with a total of its own."""
    passes = [
        [line.done for line in group] for _, group in groupby(lines, key=lambda line: line.total)
    ]
    return (
        all(done == sorted(done) for done in passes)
        and all(line.done <= line.total for line in lines)
        and not any(line.left.startswith("-") for line in lines)
    )
