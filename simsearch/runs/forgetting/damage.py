"""Advice on a damaged file that prevents the removal of an artwork."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simsearch.catalog.stored import NEWEST
from simsearch.errors import DamagedError, NotFoundError
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.published import read_latest
from simsearch.storage.damage import set_aside
from simsearch.storage.storage import Storage

VECTORS_FIRST = (
    "run `simsearch extract`, which computes its vectors anew, and then this command again"
)
REMOVE = "restore it from a backup, or remove its snapshots with `simsearch snapshots gc`"


@contextmanager
def advise_on_damage(storage: Storage) -> Iterator[None]:
    """Add to a DamagedError within the block the advice after which the removal can go on.

    A file that a run makes anew is set aside. The removal deletes such files.
    """
    try:
        yield
    except DamagedError as error:
        computed = error.path.startswith("features/")
        advised = set_aside(
            storage, error, VECTORS_FIRST if computed else "give this command again"
        )
        if advised is error:
            advice = _advice(storage, error)
            advised = DamagedError(error.root, error.path, error.problem, advice)
        raise advised from None


def _advice(storage: Storage, error: DamagedError) -> str:
    folder, _, name = error.path.partition("/")
    if folder == "catalog":
        return _advice_on_catalog(storage, name.removesuffix(".parquet"))
    if folder == SNAPSHOTS:
        latest = read_latest(storage)
        published = latest is not None and latest.snapshot_id == name.partition("/")[0]
        return f"{'publish another snapshot (`simsearch snapshots rollback`), then ' * published}{REMOVE}"
    return error.advice


def _advice_on_catalog(storage: Storage, catalog_id: str) -> str:
    try:
        newest = storage.read_bytes(NEWEST).decode().strip()
    except NotFoundError:
        newest = ""
    if catalog_id == newest:
        return "run `simsearch ingest`, which writes it anew, and then this command again"
    return REMOVE
