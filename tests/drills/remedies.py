"""Does what a message of the command says: removes the file that it names, points LATEST anew, runs again."""

from __future__ import annotations

import contextlib
import io
import re

from simsearch.cli.main import exit_code
from simsearch.errors import DamagedError
from simsearch.snapshots.published import list_snapshots
from simsearch.snapshots.root import ROOT_FORMAT
from simsearch.storage.storage import Storage
from simsearch.storage.uris import ROOT_MARKER

INDENTED = re.compile(r"^ {2}(\S+):", re.MULTILINE)
"""How `snapshots verify` names a file of a snapshot, by its path below the root."""


def command(*words: str) -> tuple[int, str, str]:
    """The exit code of a command in this process, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = exit_code(words)
    return code, out.getvalue(), err.getvalue()


def follow(storage: Storage, text: str, where: list[str]) -> bool:
    """Do what a message says; whether it says anything. `where`: the words that name the root."""
    if "LATEST" in text and "rollback" in text:
        return _point_anew(storage, where)
    if "write {" in text:
        storage.write_bytes(ROOT_MARKER, f'{{"format": {ROOT_FORMAT}}}'.encode())
        return True
    done = "run again" in text or "same command again" in text
    if "remove" in text:
        for path in _named_files(storage, text):
            storage.delete(path)
            done = True
    if "snapshots gc" in text:
        code, _, err = command("snapshots", "gc", "--keep=1", "--grace=0s", *where)
        return done or code == 0 or follow(storage, err, where)
    return done


def _named_files(storage: Storage, text: str) -> list[str]:
    named = re.findall(re.escape(storage.uri("")) + r"/?(\S+?):(?:\s|$)", text)
    return [path for path in dict.fromkeys(named + INDENTED.findall(text)) if storage.exists(path)]


def _point_anew(storage: Storage, where: list[str]) -> bool:
    for snapshot in list_snapshots(storage):
        with contextlib.suppress(DamagedError):
            snapshot.created()
            return command("snapshots", "rollback", snapshot.snapshot_id, *where)[0] == 0
    return False
