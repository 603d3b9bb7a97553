"""A file that a command reads once: a path, a pipe, or `-` for the standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from simsearch.errors import UsageError
from simsearch.runtime.background import run_within

SECONDS = 60.0  # for a pipe's whole content; a pipe to which nobody writes would never end


@contextmanager
def open_picture(name: str, max_bytes: int) -> Iterator[Path]:
    """The path of a picture's file. The content of a pipe or of `-` is stored in a file within the block.
    Raises UsageError."""
    path = Path(name)
    if name != "-" and (path.is_file() or not path.exists()):
        yield path
        return
    data = read_input(name, max_bytes)
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "standard-input"
        kept.write_bytes(data)
        yield kept


def read_input(name: str, max_bytes: int, seconds: float = SECONDS) -> bytes:
    """The bytes of a file or pipe, at most `max_bytes` + 1: a caller thus detects that there are more. Raises
    UsageError for a file or pipe that cannot be read or does not end in time."""
    if name == "-" and sys.stdin.isatty():
        raise UsageError(f"{name}: the standard input is a terminal; send a file there: … < FILE")
    try:
        return run_within(seconds, lambda: _read(name, max_bytes + 1))
    except OSError as error:  # TimeoutError, too
        reason = error.strerror or f"a pipe that did not end in {seconds:g} s"
        raise UsageError(f"{name}: cannot read it: {reason}; give a picture's file") from None


def _read(name: str, size: int) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(size)
    with Path(name).open("rb") as file:
        return file.read(size)
