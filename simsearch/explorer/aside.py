"""Write an export beside an earlier one, then put it in the earlier one's place at once.

The earlier files stay until all new files are written. None of them remains among the new files, so an
artwork that was taken out of the collection is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simsearch.errors import UsageError
from simsearch.storage.uris import is_litter

MARKER = "simsearch-export.json"
"""A file in every export, with the export's kind, its snapshot, and the names of its files."""


@contextmanager
def write_aside(option: str, folder: str, kind: str, snapshot_id: str) -> Iterator[Path]:
    """An empty folder to write into. It takes the place of `folder` when the block ends.

    `option` is the option of the command line, `kind` the kind of export. If the block raises, `folder`
    stays as it was. Raises UsageError for a folder that is not local, cannot be written, holds anything but
    an earlier export of this kind, or is being written by another export.
    """
    place = f"{option} {folder}"
    if "://" in folder:
        raise UsageError(
            f"{place}: files are written to a local folder; upload it with your bucket's own tool, which sets each file's type"
        )
    target = Path(folder).resolve()
    if target.is_mount():
        raise UsageError(f"{place}: a mount point cannot be replaced; give a folder inside it")
    new, old = (target.with_name(f".{target.name}.simsearch-{part}") for part in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(new, place):
            _finish_swap(target, old)
            _check_replaceable(target, kind, place)
            _empty(new)
            try:
                yield new
                marker = {"kind": kind, "snapshot": snapshot_id, "files": _names(new)}
                (new / MARKER).write_text(json.dumps(marker, indent=1))
                _check_replaceable(target, kind, place)
                _swap(new, target, old)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{place}: cannot write there: {error.strerror}") from None


@contextmanager
def _lock(new: Path, place: str) -> Iterator[None]:
    """Hold the folder `new` within the block, and make it if it is missing. Raises UsageError if another
    process holds it."""
    while True:
        new.mkdir(exist_ok=True)
        handle = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The previous holder may have moved the folder to its place since it was opened.
            if not (new.exists() and os.path.samestat(os.fstat(handle), new.stat())):
                continue
            yield
            return
        except BlockingIOError:
            raise UsageError(
                f"{place}: another export is writing there; wait until it ends"
            ) from None
        finally:
            os.close(handle)


def _check_replaceable(target: Path, kind: str, place: str) -> None:
    """Raise UsageError unless the folder is absent, empty, or only an earlier export."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    names = _names(target)
    try:
        marker = json.loads((target / MARKER).read_text())
        stored_kind, own = marker["kind"], {*marker["files"], MARKER}
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        stored_kind, own = None, set()
    if stored_kind != kind:
        raise UsageError(
            f"{place}: holds files that are no earlier export of this kind; give an empty folder"
        )
    if strangers := [name for name in names if name not in own and not is_litter(name)]:
        raise UsageError(
            f"{place}: holds files that the export did not write (such as {strangers[0]}), and the whole "
            "folder is replaced; move them out first"
        )


def _names(folder: Path) -> list[str]:
    """The sorted paths of all files, empty folders and links to folders below a folder."""
    entries = folder.rglob("*")
    return sorted(
        str(entry.relative_to(folder))
        for entry in entries
        if entry.is_symlink() or not entry.is_dir() or not any(entry.iterdir())
    )


def _empty(new: Path) -> None:
    """Remove the files that a killed export left."""
    for path in new.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _swap(new: Path, target: Path, old: Path) -> None:
    if not target.exists():
        new.rename(target)
        return
    shutil.copymode(target, new)
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    with suppress(FileNotFoundError):  # the next export, which may have begun, removes it too
        shutil.rmtree(old)


def _finish_swap(target: Path, old: Path) -> None:
    """Finish the swap of a process that was killed between two renames: put the old export back, or remove
    it if the new one is in its place."""
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)
