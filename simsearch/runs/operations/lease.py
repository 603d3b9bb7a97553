"""One writer per root: a lease in the store, with an expiry and a fencing token.

    <root>/LEASE    the holder, the expiry, and the token: a number that grows with every holder

The holder renews the lease in the background. A process that finds the lease expired, or held by a dead
process of the same machine, takes it over with the next token. LATEST contains the token with which it
was swapped, so a holder that was only asleep can no longer publish. A run writes everything else under
names that follow from the content, where a late writer does no harm.

The method is that of sequencers in M. Burrows, "The Chubby lock service" (2006).
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from simsearch.errors import ConflictError, DamagedError, LeaseError, NotFoundError, StorageError
from simsearch.settings.sections.operation import LeaseConfig
from simsearch.snapshots.published import read_latest
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path

log = logging.getLogger(__name__)

PATH = "LEASE"
RENEWALS_PER_TERM = 3
SETTLE_SECONDS = 3.0  # In a store without conditional puts, a rival's write may take as long.


@dataclass(frozen=True)
class LeaseRecord:
    """The content of LEASE. `holder` is null if nobody writes. Times are in seconds since 1970 by the holder's
    clock. `term` is the length of the lease in seconds."""

    token: int
    holder: str | None
    host: str
    machine: str | None
    pid: int
    process_started: str
    expires: float
    term: int = 60

    @classmethod
    def parse(cls, data: bytes, uri: str) -> LeaseRecord:
        try:
            record = cls(**json.loads(data))
            if not all(isinstance(n, int) for n in (record.token, record.pid, record.term)):
                raise TypeError("token, pid and term are whole numbers")
            datetime.fromtimestamp(record.expires, UTC)  # raises for a number that is no time
            return record
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise StorageError(
                f"{uri}: not a lease ({error}); make sure that no run is active, then remove it"
            ) from None

    def dump(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode()

    def free(self, now: float) -> str | None:
        """Why the lease is free. None while its holder has it."""
        if self.holder is None:
            return "released"
        if self.expires < now:
            return f"expired {now - self.expires:.0f} s ago"
        if self.machine is not None and self.machine == _machine() and not self._alive():
            return f"its process {self.pid} is dead"
        return None

    def _alive(self) -> bool:
        return _process_started(self.pid) == self.process_started

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{self.host}, process {self.pid}, renewed until {until}"


class Lease:
    """A lease that this process holds. `token` is its fencing token."""

    def __init__(self, storage: Storage, config: LeaseConfig, record: LeaseRecord, version: str):
        self._storage = storage
        self._config = config
        self._record = record
        self._version = version
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._lost: str | None = None
        self._thread = threading.Thread(target=self._heartbeat, name="lease", daemon=True)
        self._thread.start()

    @property
    def token(self) -> int:
        return self._record.token

    def shared_files(self) -> dict[str, str]:
        """The path of a local root's LEASE, and a text that the file contains as long as this process has the
        lease. A process that sees the same root finds that text. Empty for a root in S3."""
        uri = self._storage.uri(PATH)
        return {local_path(uri): str(self._record.holder)} if is_local(uri) else {}

    def check(self) -> None:
        """Renew the lease now. Raises LeaseError if another run has taken over."""
        self._renew(time.time() + self._config.seconds)
        if self._lost is not None:
            raise LeaseError(
                f"{self._storage.uri(PATH)}: another run has taken over ({self._lost}); this one stops. "
                "What it computed is kept"
            )

    def confirm(self) -> None:
        """`check`, where the last renewal is a third of the term ago: cheap enough before each of many
        small changes."""
        renewed = self._record.expires - self._config.seconds
        due = time.time() - renewed > self._config.seconds / RENEWALS_PER_TERM
        if due or self._lost is not None:
            self.check()

    def release(self) -> None:
        self._stop.set()
        self._thread.join()
        with self._guard:
            if self._lost is None:
                try:
                    self._swap(replace(self._record, holder=None))
                except StorageError as error:
                    log.warning("the lease could not be released and will expire: %s", error)

    def _heartbeat(self) -> None:
        while not self._stop.wait(self._config.seconds / RENEWALS_PER_TERM):
            try:
                self._renew(time.time() + self._config.seconds)
            except StorageError as error:
                log.warning("the lease could not be renewed, trying again: %s", error)

    def _renew(self, expires: float) -> None:
        with self._guard:
            if self._lost is not None:
                return
            # Read first: in a store without conditional puts, this would overwrite a new holder.
            current, _ = _read(self._storage)
            if current is None or current.holder != self._record.holder:
                self._lost = "LEASE was removed" if current is None else str(current)
                return
            try:
                self._swap(replace(self._record, expires=expires))
            except ConflictError:
                self._lost = "between two renewals"

    def _swap(self, record: LeaseRecord) -> None:
        self._version = self._storage.replace(PATH, record.dump(), self._version)
        self._record = record


# By the root and the thread: two runs of one process, as in a notebook, are two runs.
_held: dict[tuple[str, int], Lease] = {}


@contextmanager
def hold_lease(storage: Storage, config: LeaseConfig) -> Iterator[Lease]:
    """Hold the root's lease within the block. A nested block of the same thread shares the lease.

    Waits up to `config.wait` seconds for another holder. If that one keeps the lease, raises LeaseError,
    which names the holder.
    """
    key = storage.root, threading.get_ident()
    if (mine := _held.get(key)) is not None:
        yield mine
        return
    lease = _acquire(storage, config)
    _held[key] = lease
    try:
        yield lease
    finally:
        del _held[key]
        lease.release()


def _acquire(storage: Storage, config: LeaseConfig) -> Lease:
    began = changed = time.monotonic()
    logged, seen = False, None
    while True:
        current, version = _read(storage)
        if current != seen:
            seen, changed = current, time.monotonic()
        reason = "first" if current is None else current.free(time.time())
        if current is not None and reason is None and time.monotonic() - changed > current.term:
            # Its holder's clock is ahead of this one: a dead holder's lease could last for years.
            reason = f"not renewed for {current.term} s"
        if reason is not None:
            try:
                return _take(storage, config, current, version, reason)
            except ConflictError:
                continue
        if time.monotonic() >= began + config.wait:
            raise LeaseError(
                f"{storage.root}: another run is active ({current}); wait for it, or set lease.wait "
                "to the seconds to wait"
            )
        if not logged:
            log.info("waiting up to %s s for another run (%s)", config.wait, current)
            logged = True
        time.sleep(min(1.0, config.seconds / RENEWALS_PER_TERM))


def _take(
    storage: Storage,
    config: LeaseConfig,
    current: LeaseRecord | None,
    version: str | None,
    reason: str,
) -> Lease:
    record = LeaseRecord(
        token=1 + max(0 if current is None else current.token, _read_published_token(storage)),
        holder=uuid.uuid4().hex,
        host=socket.gethostname(),
        machine=_machine(),
        pid=os.getpid(),
        process_started=_process_started(os.getpid()),
        expires=time.time() + config.seconds,
        term=config.seconds,
    )
    version = storage.replace(PATH, record.dump(), version)
    if not _refuses_to_overwrite(storage, record):
        log.warning(
            "%s: this store has NO CONDITIONAL PUT: two runs that start within %.0f s of each other "
            "may not see one another; start runs from one place only",
            storage.root,
            SETTLE_SECONDS,
        )
        time.sleep(SETTLE_SECONDS)
        written, version = _read(storage)
        if written is None or version is None or written.holder != record.holder:
            raise ConflictError(f"{storage.uri(PATH)}: another run was there first")
    if reason not in ("first", "released"):
        log.warning("took the lease over from %s: %s", current, reason)
    return Lease(storage, config, record, version)


def _read_published_token(storage: Storage) -> int:
    """The token of the run that published last. Tokens go on from there if LEASE was removed or restored
    from a backup. A damaged LATEST gives 0, as repairing it needs the lease first."""
    try:
        latest = read_latest(storage)
    except DamagedError:
        return 0
    return 0 if latest is None else latest.fencing_token


def _refuses_to_overwrite(storage: Storage, record: LeaseRecord) -> bool:
    """Whether the store honours conditions: a put is tried that must not replace LEASE.

    Its bytes differ by a space, because a put of the same bytes counts as an earlier try that succeeded.
    """
    try:
        storage.replace(PATH, record.dump() + b" ", None)
    except ConflictError:
        return True
    return False


def _read(storage: Storage) -> tuple[LeaseRecord | None, str | None]:
    try:
        data, version = storage.read_versioned(PATH)
    except NotFoundError:
        return None, None
    return LeaseRecord.parse(data, storage.uri(PATH)), version


def _machine() -> str | None:
    """The identity of this machine and container, within which process numbers can be compared. Linux
    only."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _process_started(pid: int) -> str:
    """The start time of a process in clock ticks since boot ('' if there is no such process). It
    distinguishes two processes that got the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
