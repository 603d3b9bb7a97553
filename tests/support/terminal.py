"""A command on a terminal, as a person runs it: what it writes there, in the order it is written."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ROWS, COLUMNS = 40, 120


def on_terminal(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run to the end on a terminal of its own; exit code and everything written, colours and cursor movements aside."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
    )
    os.close(slave)
    written = bytearray()
    try:
        while chunk := _read(master):
            written += chunk
    finally:
        os.close(master)
    shown = written.decode(errors="replace").replace("\r\n", "\n")
    return process.wait(), ESCAPES.sub("", shown)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""
