"""The report of `simsearch check`, a line for each subject."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from simsearch.runs.checks.sample import Sampled
from simsearch.settings.config import Config
from simsearch.settings.secrets import hide_secrets

State = Literal["right", "wrong", "note"]


@dataclass(frozen=True)
class CheckLine:
    """One line of the output of `simsearch check`. The state "wrong" means that the run would fail."""

    subject: str
    state: State
    statement: str
    advice: str = ""

    @classmethod
    def of(cls, subject: str, error: Exception) -> CheckLine:
        """The line for an error. The last clause of the error's message becomes the advice."""
        statement, _, advice = hide_secrets(str(error)).rpartition("; ")
        return cls(subject, "wrong", statement or advice, advice if statement else "")


@dataclass
class CheckReport:
    """The lines so far, to which each check adds, and the results that later checks need."""

    config: Config
    deadline: float  # of `time.monotonic()`
    lines: list[CheckLine] = field(default_factory=list)
    table: pa.Table | None = None
    sampled: Sampled | None = None

    def add(self, subject: str, state: State, statement: str, advice: str = "") -> None:
        self.lines.append(CheckLine(subject, state, statement, advice))

    def left(self, seconds: float) -> float:
        """The seconds that a check may take: `seconds`, or fewer if the deadline is sooner, but at least
        1."""
        return max(1.0, min(seconds, self.deadline - time.monotonic()))

    @property
    def would_fail(self) -> bool:
        return any(line.state == "wrong" for line in self.lines)
