"""Processes that a test started: they are found and ended by their ids, never by a name."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GONE_SECONDS = 30


@dataclass(frozen=True)
class ProcessId:
    """One process. A later process may get the same number, but not the same number and start time."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """None if there is no such process, or only its zombie."""
        fields = _stat(pid)
        return None if fields is None else cls(pid, fields[19])

    def alive(self) -> bool:
        return ProcessId.of(self.pid) == self

    def signal(self, number: int) -> None:
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it ended in between


def descendants(pid: int) -> list[tuple[int, str]]:
    """Process ids and command lines of all processes below `pid`, parents first."""
    children: dict[int, list[int]] = {}
    for entry in sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
        fields = _stat(entry)
        if fields is not None:
            children.setdefault(int(fields[1]), []).append(entry)
    family, below = [pid], []
    for parent in family:
        for child in children.get(parent, ()):
            family.append(child)
            below.append((child, command_line(child)))
    return below


def family_of(pid: int) -> list[ProcessId]:
    """The process and all below it that are alive."""
    known = (ProcessId.of(member) for member in (pid, *(child for child, _ in descendants(pid))))
    return [process for process in known if process is not None]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def end(processes: Iterable[ProcessId], seconds: float = GONE_SECONDS) -> None:
    """SIGTERM, and SIGKILL for those that are still there after `seconds`."""
    processes = list(processes)
    for process in processes:
        process.signal(signal.SIGTERM)
    for process in left_over(processes, seconds):
        process.signal(signal.SIGKILL)


def left_over(processes: Iterable[ProcessId], seconds: float = GONE_SECONDS) -> list[ProcessId]:
    """Those that are still alive after `seconds`."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if process.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [process for process in left if process.alive()]
    return left


# Above the ports of Ray's workers and below those that Linux gives to outgoing connections (32768 on).
_PORTS = range(20000, 32000)
_assigned_ports: set[int] = set()


def free_port() -> int:
    """A free port of 127.0.0.1, a different one at every call within this process."""
    # Not the seeded generator: two test processes must not ask for the same ports in the same order.
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if port not in _assigned_ports and _can_bind(port):
            _assigned_ports.add(port)
            return port
    raise RuntimeError(f"no free port from {_PORTS.start} to {_PORTS.stop - 1}")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the state on; None for a zombie and for no process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields
