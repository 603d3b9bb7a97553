"""Report the work and the end of a run: by a record in the root, one JSON line in the log, Prometheus
metrics, and a command after a failure.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from simsearch.errors import LeaseError, SimsearchError, StorageError
from simsearch.runs.operations.prometheus import export
from simsearch.runs.record import FOLDER, RECORD, SUCCESSES, RunRecord
from simsearch.runtime.progress import duration
from simsearch.settings.config import Config, kept_settings
from simsearch.settings.sections.operation import MonitoringConfig
from simsearch.snapshots.plan import settings_digest
from simsearch.snapshots.step_record import StepRecord
from simsearch.storage.storage import Storage, root_of

log = logging.getLogger(__name__)

HOOK_SECONDS = 60

RECENT = 20  # newest records that a search looks at


@contextmanager
def record_run(config: Config, command: str) -> Iterator[RunRecord]:
    """Record the run within the block, and store the record at its end. An exception is recorded and raised
    again."""
    storage = root_of(config)
    now = datetime.now(UTC)
    record = RunRecord(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        command=command,
        started=now.isoformat(timespec="seconds"),
        host=socket.gethostname(),
        pid=os.getpid(),
        settings_sha256=settings_digest(kept_settings(config)),
    )
    started = time.monotonic()
    storage.write_json(record.path, record.to_json())
    try:
        yield record
    except LeaseError as error:
        record.outcome, record.error = "refused", str(error)
        raise
    except (KeyboardInterrupt, SystemExit):
        record.outcome, record.error = "interrupted", "stopped from outside"
        raise
    except BaseException as error:
        message = str(error) if isinstance(error, SimsearchError) else repr(error)
        record.outcome, record.error = "failed", message
        raise
    finally:
        record.ended = datetime.now(UTC).isoformat(timespec="seconds")
        record.seconds = elapsed(started)
        _report_end(config.monitoring, storage, record)


def list_records(storage: Storage, newest: int | None = None) -> list[RunRecord]:
    """The run records, the newest first: all, or at most `newest`. A record that cannot be read is logged and
    left alone. Files of other names are ignored."""
    names = (info.path for info in storage.files(FOLDER) if RECORD.fullmatch(info.path))
    chosen = sorted(names, reverse=True)[:newest]
    read = (_read_record(storage, f"{FOLDER}/{name}") for name in chosen)
    return [record for record in read if record is not None]


def last_success(storage: Storage) -> RunRecord | None:
    """The record of the newest run that succeeded, however long ago. None if none is known."""
    names = sorted((info.path for info in storage.files(FOLDER)), reverse=True)
    read = (_read_record(storage, f"{FOLDER}/{name}") for name in names if RECORD.fullmatch(name))
    successes = (
        record for record in read if record and record.ended and record.outcome in SUCCESSES
    )
    return next(successes, None)


def _last_success(storage: Storage) -> RunRecord | None:
    try:
        return last_success(storage)
    except StorageError as error:
        log.warning("which run succeeded last is not known: %s", error)
        return None


def _read_record(storage: Storage, path: str) -> RunRecord | None:
    try:
        return RunRecord.from_json(storage.read_json(path))
    except (TypeError, KeyError, AttributeError) as error:
        problem = f"{storage.uri(path)}: not a run record ({error})"
    except StorageError as error:
        problem = str(error)
    log.warning("%s; it is left out", problem)
    return None


def close_dead_records(storage: Storage, own: RunRecord) -> None:
    """Record the end of runs that died without one. Only the holder of the lease may call this: no other run
    is alive then, except one that is just being refused."""
    for record in list_records(storage, RECENT):
        if record.outcome == "running" and record.run_id != own.run_id:
            log.warning("run %s of %s died without ending", record.run_id, record.started)
            record.outcome = "died"
            storage.write_json(record.path, record.to_json())


def log_step(step: StepRecord) -> StepRecord:
    rate = (
        f", {step.items / step.seconds:,.1f} {step.unit}/s" if step.items and step.seconds else ""
    )
    note = f" ({step.note})" if step.note else ""
    log.info(
        "%s: %s %s in %s%s%s",
        step.name,
        f"{step.items:,}",
        step.unit,
        duration(step.seconds),
        rate,
        note,
    )
    return step


def elapsed(started: float) -> float:
    """Seconds since a `time.monotonic()`."""
    return round(time.monotonic() - started, 3)


def _report_end(config: MonitoringConfig, storage: Storage, record: RunRecord) -> None:
    """Report the end of a run to the log, the root, the metrics and the command. Problems in this are logged:
    they must neither turn a finished run into a failed one nor hide why a run failed."""
    values = record.to_json()
    line = json.dumps(values, ensure_ascii=False)
    wanted = config.log_json
    if not sys.stderr.isatty() if wanted is None else wanted:
        log.info("run %s", line)
    try:
        storage.write_json(record.path, values)
    except StorageError as error:
        log.warning("the run record could not be stored: %s", error)
    if config.prometheus_textfile or config.pushgateway:
        for problem in export(config, record, _last_success(storage)):
            log.warning("%s", problem)
    if record.outcome in ("failed", "refused") and config.on_failure:
        _call_hook(config.on_failure, line)


def _call_hook(command: tuple[str, ...], line: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603  (the operator's own command, from the settings)
            command, input=line, text=True, timeout=HOOK_SECONDS, check=False
        )
        if done.returncode:
            log.warning("monitoring.on_failure: %s ended with %s", command[0], done.returncode)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("monitoring.on_failure: %s could not be run: %s", command[0], error)
