"""Run records, and their form in the root.

<root>/runs/<start>-<random>.json
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from simsearch.settings.version import __version__
from simsearch.snapshots.step_record import StepRecord

FOLDER = "runs"
RECORD = re.compile(r"\d{8}T\d{6}Z-[0-9a-z]+\.json")

Outcome = Literal["running", "published", "unchanged", "failed", "refused", "interrupted", "died"]

SUCCESSES = ("published", "unchanged")


@dataclass
class RunRecord:
    """The record of one run. Times are ISO 8601 in UTC, `seconds` is the whole duration. `recovery` has a
    row per space and k, with the mean recall by exact search and the one `before` (None: there was none).
    `installation` are the versions that computed the run, by name. `made_by` is the installation's digest,
    which shards of vectors carry (None: nothing was computed)."""

    run_id: str
    command: str
    started: str
    host: str
    pid: int
    settings_sha256: str
    code_version: str = __version__
    outcome: Outcome = "running"
    ended: str | None = None
    seconds: float | None = None
    snapshot_id: str | None = None
    previous_snapshot_id: str | None = None
    artworks: int | None = None
    images: int | None = None
    rejects: int | None = None
    changes: dict[str, int] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)
    recovery: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    made_by: str | None = None
    installation: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.run_id}.json"

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        for step in values["steps"]:
            step["per_second"] = step["items"] / step["seconds"] if step["seconds"] else None
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> RunRecord:
        """A record from JSON. Fields that a later version added are left out. Raises TypeError, KeyError or
        AttributeError for anything else."""
        steps = [StepRecord(**_known_fields(StepRecord, step)) for step in values["steps"]]
        return cls(**{**_known_fields(cls, values), "steps": steps})


def _known_fields(kind: type[RunRecord | StepRecord], values: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {key: value for key, value in values.items() if key in names}
