"""Local paths that are not files: pipes, sockets, devices, links to nowhere.

They are detected before anything is opened: reading from a pipe to which nobody writes never ends."""

from __future__ import annotations

import os
import stat

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class NotRegularError(OSError):
    """There is a pipe, a socket, a device or a broken link where a file should be."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path, kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"a {self.kind}, not a file"


def kind_of(path: str) -> tuple[str, os.stat_result | None]:
    """The kind of a path's target ("file", "folder", "named pipe", "socket", "device", "link to a folder",
    "broken link"), and the target's status, with links followed."""
    try:
        status = os.stat(path)  # noqa: PTH116  (names as the listing has them, Path would normalise)
    except OSError:
        return "broken link", None
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "device")
    if kind == "folder" and os.path.islink(path):  # noqa: PTH114
        kind = "link to a folder"
    return kind, status


def read_regular(path: str, end: int | None = None) -> bytes:
    """The first `end` bytes of a file (None: all bytes). For anything but a file it raises
    NotRegularError at once, before opening."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        kind = _KINDS.get(stat.S_IFMT(os.fstat(descriptor).st_mode), "device")
        if kind != "file":
            raise NotRegularError(path, kind)
        return file.read() if end is None else file.read(end)
