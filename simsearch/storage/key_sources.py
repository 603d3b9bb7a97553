"""Where S3 keys come from, and whether they have changed there since a client was made."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import fsspec

_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
_FILES = (
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ("AWS_CONFIG_FILE", "~/.aws/config"),
)

SETTLED_SECONDS = 1.0
"""A file that changed less than this ago may be half written, and is not read again yet."""

_lock = threading.Lock()
_sources: tuple[object, ...] | None = None


def take_up_changed_keys() -> None:
    """Let go of the S3 clients of this process if the keys in the environment or in AWS's files have
    changed since the call before. Requests that are going end with their client. boto reads such keys once
    for each client, so a server, a worker or a notebook would use the first ones for good."""
    global _sources
    files = [_stamp(os.environ.get(variable) or default) for variable, default in _FILES]
    sources = (*map(os.environ.get, _VARIABLES), *files)
    with _lock:
        if sources == _sources:
            return
        now = time.time()
        if _sources is not None and any(
            0 <= now - stamp[0] / 1e9 < SETTLED_SECONDS for stamp in files if stamp
        ):
            return
        if _sources is not None:
            fsspec.get_filesystem_class("s3").clear_instance_cache()
        _sources = sources


def _stamp(path: str) -> tuple[int, int, int] | None:
    """When a file was written, its size and its number. None if it cannot be read."""
    try:
        status = Path(path).expanduser().stat()
    except (OSError, RuntimeError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
