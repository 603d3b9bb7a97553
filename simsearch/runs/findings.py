"""What `simsearch check` found, a line each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from simsearch.config import Config
from simsearch.runs.sample import Sampled

State = Literal["right", "wrong", "note"]


@dataclass(frozen=True)
class Finding:
    """One line of the answer. "wrong" means that the run would fail."""

    subject: str
    state: State
    statement: str
    advice: str = ""

    @classmethod
    def of(cls, subject: str, error: Exception) -> Finding:
        """An error's message, whose last clause says what to do."""
        statement, _, advice = str(error).rpartition("; ")
        return cls(subject, "wrong", statement or advice, advice if statement else "")


@dataclass
class Checked:
    """What is known so far; each check adds to it."""

    config: Config
    deadline: float  # of `time.monotonic()`
    findings: list[Finding] = field(default_factory=list)
    table: pa.Table | None = None
    sampled: Sampled | None = None

    def add(self, subject: str, state: State, statement: str, advice: str = "") -> None:
        self.findings.append(Finding(subject, state, statement, advice))

    def left(self, seconds: float) -> float:
        """So many seconds, or what is left until the deadline."""
        return max(1.0, min(seconds, self.deadline - time.monotonic()))

    @property
    def would_fail(self) -> bool:
        return any(finding.state == "wrong" for finding in self.findings)
