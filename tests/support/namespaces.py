"""Machines of their own on this one: network namespaces on a bridge, each with its own address, its
own processes, its own /tmp and /dev/shm. Needs root and iproute2.

Nothing outside the namespaces is touched: the bridge lies in one of them, too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

INSTALL = "apt-get install -y --no-install-recommends iproute2, and run as root"
SUBNET = "10.77.0"
GONE_SECONDS = 20
START_SECONDS = 20

# The node's own folders, so that nodes share nothing by accident.
SETUP = 'mount -t tmpfs tmpfs /tmp && mount -t tmpfs tmpfs /dev/shm && exec "$@"'


def usable() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Machine:
    """A namespace on the bridge, and the ancestor of all its processes."""

    name: str
    address: str
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """The bridge's end of its cable."""
        return f"port{self.address.rpartition('.')[2]}"

    def start(self, command: Sequence[str], log: Path) -> None:
        """Run a command as the first process of a process namespace. When it ends, all others end."""
        self.command = tuple(command)
        inside = ["sh", "-c", SETUP, "sh", *command]
        private = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *private, *inside],
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def enter(self) -> tuple[str, ...]:
        """The prefix of a command that is to run apart from this machine's own processes."""
        return ("nsenter", f"--target={self._first()}", "--mount", "--net", "--pid")

    def kill(self) -> None:
        """Kill all its processes at once. The other machines learn of it only by the network."""
        if self.process is None:
            return
        first = self._first() if self.alive() else 0
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + GONE_SECONDS
        while first and Path(f"/proc/{first}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.process = None

    def _first(self) -> int:
        """The process that all others of this machine are below, by its number out here."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        deadline = time.monotonic() + START_SECONDS
        while self.alive() and time.monotonic() < deadline:
            if pids := children.read_text().split():
                return int(pids[0])
            time.sleep(0.05)
        raise RuntimeError(f"{self.name}: its first process did not start")


@dataclass
class Network:
    """A bridge in the namespace that this process is in, and the machines on it."""

    prefix: str
    machines: list[Machine] = field(default_factory=list)

    address = f"{SUBNET}.1"

    def open(self) -> None:
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge", "type", "bridge")
        ip("addr", "add", f"{self.address}/24", "dev", "bridge")
        ip("link", "set", "bridge", "up")

    def add(self) -> Machine:
        number = len(self.machines) + 2
        machine = Machine(f"{self.prefix}-{number}", f"{SUBNET}.{number}")
        ip("netns", "add", machine.name)
        ip(
            "link",
            "add",
            machine.link,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            machine.name,
        )
        ip("link", "set", machine.link, "master", "bridge", "up")
        for words in (
            ("addr", "add", f"{machine.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", machine.name, *words)
        self.machines.append(machine)
        return machine

    def cut(self, machine: Machine) -> None:
        """Pull its cable. The other machines get no message."""
        ip("link", "set", machine.link, "down")

    def mend(self, machine: Machine) -> None:
        ip("link", "set", machine.link, "up")

    def close(self) -> None:
        for machine in self.machines:
            machine.kill()
            ip("netns", "del", machine.name)
        self.machines.clear()
