"""The context of a run's steps: the settings, the root, its lease, and the steps taken so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simsearch.errors import DamagedError
from simsearch.runs.operations.lease import Lease, hold_lease
from simsearch.runs.records import elapsed, log_step
from simsearch.settings.config import Config
from simsearch.snapshots.root import open_root, require_root
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.snapshots.step_record import StepRecord
from simsearch.storage.damage import set_aside
from simsearch.storage.storage import Storage, root_of


@dataclass(frozen=True)
class StepResult:
    """The result of a step: the number of `items` that it worked on, their `unit`, and a `note` for
    readers."""

    items: int
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Run:
    """A run that holds its root's lease. Each step adds itself to `steps`."""

    config: Config
    storage: Storage
    lease: Lease
    steps: list[StepRecord] = field(default_factory=list)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that `extract` planned last. Raises NotFoundError before there is one."""
        return pending_snapshot(self.storage)

    def take(self, step: Callable[[Run], StepResult]) -> StepRecord:
        """Take a step: check that this process still has the lease, time the step, log and record its
        result.

        Raises DamagedError for a damaged file. If a run makes such files anew, the file is first moved
        away.
        """
        self.lease.check()
        started = time.monotonic()
        try:
            outcome = step(self)
        except DamagedError as error:
            raise set_aside(self.storage, error) from None
        record = StepRecord(
            step.__name__, elapsed(started), outcome.items, outcome.unit, outcome.note
        )
        self.steps.append(log_step(record))
        return record


@contextmanager
def open_run(config: Config, *, new: bool = False) -> Iterator[Run]:
    """Hold the root's lease within the block. A nested block shares the lease.

    With `new`, an empty place becomes a root. Raises UsageError for a place that is no root yet,
    StorageError for a place with other files or for a root of another format, LeaseError if another run
    is active.
    """
    storage = root_of(config)
    if new:
        open_root(storage)
    else:
        require_root(storage)
    with hold_lease(storage, config.lease) as lease:
        yield Run(config, storage, lease)


def take(config: Config, step: Callable[[Run], StepResult], *, new: bool = False) -> StepRecord:
    """Take a single step in a run of its own (see `open_run` and `Run.take`)."""
    with open_run(config, new=new) as run:
        return run.take(step)
