"""A storage root: whether a place is one of ours, and of which format."""

from __future__ import annotations

from simsearch import __version__
from simsearch.errors import StorageError, UsageError
from simsearch.images.identity import PIXEL_RULES
from simsearch.storage.storage import Storage
from simsearch.storage.uris import ROOT_MARKER

FIRST_RULES = 1  # of pixels, which markers did not mention
ROOT_FORMAT = 2  # 1 knew a feature space by its backbone alone; `snapshots/migration.py` reads it


def root_exists(storage: Storage) -> bool:
    return storage.exists(ROOT_MARKER)


def root_format(storage: Storage) -> object:
    """The format that the root's marker names; an int for every root that simsearch made."""
    return storage.read_json(ROOT_MARKER).get("format")


def check_format(storage: Storage) -> None:
    """Raises StorageError for a root of another format, with what to do about it."""
    stored = root_format(storage)
    if stored == ROOT_FORMAT:
        return
    if isinstance(stored, int) and stored < ROOT_FORMAT:
        advice = f"bring it up to date: simsearch migrate root={storage.root}"
    else:
        advice = "use the version that wrote it"
    raise StorageError(
        f"{storage.root}: format {stored!r}, this simsearch reads {ROOT_FORMAT}; {advice}"
    )


def recognise(storage: Storage) -> None:
    """Raises StorageError where there is a root of another format; it is no error if there is none."""
    if root_exists(storage):
        check_format(storage)


def require_root(storage: Storage) -> None:
    """Raises UsageError where there is no root, StorageError for a root of another format."""
    if not root_exists(storage):
        raise UsageError(
            f"{storage.root}: no simsearch root; correct `root` or run `simsearch run`"
        )
    check_format(storage)


def open_root(storage: Storage) -> None:
    """Claim an empty root, or recognise one of ours. Raises StorageError for anything else."""
    if root_exists(storage):
        check_format(storage)
        return
    if strangers := storage.files()[:1]:
        raise StorageError(
            f"{storage.root}: holds files that are not simsearch's (such as {strangers[0].path}); "
            "choose an empty folder or prefix as root"
        )
    write_marker(storage)


def write_marker(storage: Storage, pixel_rules: int = PIXEL_RULES) -> None:
    marker = {"format": ROOT_FORMAT, "created_by": __version__, "pixel_rules": pixel_rules}
    storage.write_json(ROOT_MARKER, marker)


def read_by_older_rules(storage: Storage) -> bool:
    """Whether the root's pictures were last read by other rules than `images.identity.PIXEL_RULES`."""
    if not root_exists(storage):
        return False
    rules: object = storage.read_json(ROOT_MARKER).get("pixel_rules", FIRST_RULES)
    return rules != PIXEL_RULES
