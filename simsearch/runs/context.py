"""What the steps of a run share: the settings, the root, its lease, and what was done so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simsearch.errors import DamagedError
from simsearch.runs.operations.lease import Lease, held
from simsearch.runs.record import StepRecord
from simsearch.runs.records import log_step, since
from simsearch.settings.config import Config
from simsearch.snapshots.root import open_root, require_root
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.storage.damage import set_aside
from simsearch.storage.storage import Storage, root_of


@dataclass(frozen=True)
class Outcome:
    """The result of a step: how many `items` of which `unit` it dealt with, and a `note` for
    readers."""

    items: int
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Run:
    """A run that holds its root's lease; `steps` is added to by each step that is taken."""

    config: Config
    storage: Storage
    lease: Lease
    steps: list[StepRecord] = field(default_factory=list)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that `extract` planned last. Raises NotFoundError before there is one."""
        return pending_snapshot(self.storage)

    def take(self, step: Callable[[Run], Outcome]) -> StepRecord:
        """Do a step: check that the lease is still ours, time the step, log and note what it did.

        Raises DamagedError for a stored file that is not what was written; one that a run makes anew is
        moved out of the way first.
        """
        self.lease.check()
        started = time.monotonic()
        try:
            outcome = step(self)
        except DamagedError as error:
            raise set_aside(self.storage, error) from None
        record = StepRecord(
            step.__name__, since(started), outcome.items, outcome.unit, outcome.note
        )
        self.steps.append(log_step(record))
        return record


@contextmanager
def open_run(config: Config, *, new: bool = False) -> Iterator[Run]:
    """Hold the root's lease for the length of the block; a nested block shares it.

    `new`: an empty place becomes a root. Raises UsageError for a place that is no root yet,
    StorageError for one that is another program's or of another format, LeaseError when another
    run is active.
    """
    storage = root_of(config)
    if new:
        open_root(storage)
    else:
        require_root(storage)
    with held(storage, config.lease) as lease:
        yield Run(config, storage, lease)


def take(config: Config, step: Callable[[Run], Outcome], *, new: bool = False) -> StepRecord:
    """Open the run, take one step and close the run, as `open_run` and `Run.take` do."""
    with open_run(config, new=new) as run:
        return run.take(step)
