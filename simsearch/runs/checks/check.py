"""`simsearch check`: whether a run would succeed, in under half a minute.

It reads the settings, the storage, the catalog, a seeded sample of pictures and the weights, without Ray,
and stores nothing. From these measurements it estimates the cost of the whole run.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
import uuid
from pathlib import Path

import pyarrow as pa

from simsearch.catalog.catalog import as_table, no_artworks, read_catalog
from simsearch.catalog.image_names import is_web
from simsearch.catalog.notes import Notes
from simsearch.catalog.readers.iiif import read_iiif
from simsearch.catalog.readers.registry import READERS, get_reader
from simsearch.errors import SimsearchError, StorageError, UnknownNameError
from simsearch.images.perturbations import get_profile
from simsearch.runs.checks.report import CheckLine, CheckReport
from simsearch.runs.checks.sample import sample_pictures
from simsearch.runtime.background import run_within
from simsearch.settings.config import Config
from simsearch.settings.secrets import without_secrets
from simsearch.snapshots.root import check_format, root_exists
from simsearch.storage.storage import Storage, root_of
from simsearch.storage.uris import is_local, local_path

log = logging.getLogger(__name__)

ALL_SECONDS = 28.0  # checks that are not finished by then are reported as "not known"
CATALOG_SECONDS = 12.0
PICTURE_SECONDS = 6.0
STORE_SECONDS = 12.0
ENCODER_SECONDS = 9.0
MANIFESTS = 24  # of a IIIF collection


def check(config: Config) -> CheckReport:
    """Check everything that does not need a run: settings, storage, catalog, pictures, weights."""
    checked = CheckReport(config, deadline=time.monotonic() + ALL_SECONDS)
    encoders = threading.Thread(target=_import_encoders, daemon=True)
    encoders.start()  # importing PyTorch takes seconds, in which the catalog is read
    known = _names(checked)
    _root(checked)
    if known:
        _catalog(checked)
        _pictures(checked)
    encoders.join()
    from simsearch.runs.checks.estimate import check_encoders

    check_encoders(checked, checked.left(ENCODER_SECONDS))
    return checked


def _import_encoders() -> None:
    import simsearch.encoders.registry  # noqa: F401


def _names(checked: CheckReport) -> bool:
    config = checked.config
    try:
        for profile in config.perturbations.profiles:
            get_profile(profile)
    except UnknownNameError as error:
        checked.lines.append(CheckLine.of("perturbations", error))
    try:
        get_reader(config.catalog)
    except SimsearchError as error:
        checked.lines.append(CheckLine.of("settings", error))
        return False
    checked.add("settings", "right", f"reader {config.catalog.reader}, seed {config.seed}")
    return True


def _root(checked: CheckReport) -> None:
    storage = root_of(checked.config)
    try:
        state = run_within(checked.left(STORE_SECONDS), lambda: _try_root(storage))
    except SimsearchError as error:
        checked.lines.append(CheckLine.of("storage", error))
    except TimeoutError:
        checked.add(
            "storage",
            "wrong",
            f"{storage.root}: no answer in {STORE_SECONDS:g} s",
            "check storage.endpoint_url and the network",
        )
    else:
        free = ""
        if is_local(storage.root):
            usage = shutil.disk_usage(_find_existing(Path(local_path(storage.root))))
            free = f", {usage.free / 2**30:,.1f} GiB free"
        checked.add("storage", "right", f"{storage.root}: {state}, may be written{free}")


def _try_root(storage: Storage) -> str:
    """Write a file and remove it again, with folders made for it. Raises StorageError."""
    if root_exists(storage):
        check_format(storage)
        state = "a root of earlier runs"
    elif strangers := storage.files()[:1]:
        raise StorageError(
            f"{storage.root}: holds files that are not simsearch's (such as {strangers[0].path}); "
            "choose an empty folder or prefix as root"
        )
    else:
        state = "empty"
    new_folders = _missing_folders(storage)
    name = f"check-{uuid.uuid4().hex}"
    storage.write_bytes(name, b"simsearch check")
    storage.delete(name)
    for folder in new_folders:
        folder.rmdir()
    return state


def _missing_folders(storage: Storage) -> list[Path]:
    """The folders that a write would make, the deepest first."""
    if not is_local(storage.root):
        return []
    folder = Path(local_path(storage.root))
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    return missing


def _find_existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _catalog(checked: CheckReport) -> None:
    config = checked.config
    if READERS[config.catalog.reader].source is None:
        checked.add("catalog", "right", f"{config.catalog.size:,} artworks will be drawn")
        return
    notes = Notes()
    started = time.monotonic()
    try:
        checked.table = run_within(checked.left(CATALOG_SECONDS), lambda: _read(config, notes))
    except SimsearchError as error:
        checked.lines.append(CheckLine.of("catalog", error))
        return
    except TimeoutError:
        checked.add(
            "catalog",
            "note",
            f"{without_secrets(config.catalog.source or '')}: not read in {CATALOG_SECONDS:g} s; the rest is not known",
            "run `simsearch ingest`, then check again",
        )
        return
    took = time.monotonic() - started
    checked.add("catalog", "right", f"{checked.table.num_rows:,} artworks, read in {took:.1f} s")
    for line in notes.summary():
        checked.add("catalog", "note", line)
    _check_places(checked, checked.table)


def _read(config: Config, notes: Notes) -> pa.Table:
    """The catalog. A IIIF collection is only sampled, as each manifest costs a request."""
    if config.catalog.reader != "iiif":
        return read_catalog(config, notes)
    # A check leaves nothing in a root, not even the files that a reader keeps between runs.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scratch = config.model_copy(update={"root": folder})
        rows = list(read_iiif(scratch, notes, sample=MANIFESTS))
    if not rows:
        raise no_artworks(config.catalog, notes)
    notes.say(f"only a seeded sample was read: {MANIFESTS} manifests, or all where there are fewer")
    return as_table(rows)


def _check_places(checked: CheckReport, table: pa.Table) -> None:
    uris = table["image_uri"].to_pylist()
    etags = table["etag"].to_pylist()
    web = sum(map(is_web, uris))
    present = sum(etag is not None for etag in etags)
    absent = len(uris) - web - present
    allowed = checked.config.extract.max_reject_share * len(uris)
    if web and not checked.config.catalog.download.enabled:
        checked.add(
            "images",
            "wrong" if web > allowed else "note",
            f"{web:,} of {len(uris):,} lie on the web (such as {without_secrets(next(filter(is_web, uris)))}) and are not fetched",
            "set catalog.download.enabled=true",
        )
    elif web:
        pace = checked.config.catalog.download.per_second
        checked.add(
            "images",
            "note",
            f"{web:,} to fetch from the web: {web / pace / 60:,.0f} min at {pace:g} a second",
        )
    if absent:
        first = next(u for u, e in zip(uris, etags, strict=True) if e is None and not is_web(u))
        checked.add(
            "images",
            "wrong" if absent > allowed else "note",
            f"{absent:,} of {len(uris):,} named files are not there (such as {first})",
            "check catalog.images, or raise extract.max_reject_share",
        )
    if present:
        checked.add("images", "right", f"{present:,} of {len(uris):,} are in the store")


def _pictures(checked: CheckReport) -> None:
    """Read and decode a seeded sample of the catalog's pictures."""
    if checked.table is None:
        return
    sampled = sample_pictures(checked.config, checked.table, checked.left(PICTURE_SECONDS))
    checked.sampled = sampled
    for reason, (count, example) in sampled.rejects.items():
        share = count / max(1, sampled.tried)
        bad = share > max(checked.config.extract.max_reject_share, 1 / max(1, sampled.tried))
        checked.add(
            "pictures",
            "wrong" if bad else "note",
            f"{count} of {sampled.tried} tried: {reason} (such as {example})",
            "mend them, or raise extract.max_reject_share" if bad else "",
        )
    if sampled.sizes:
        widths, heights = sorted(w for w, _ in sampled.sizes), sorted(h for _, h in sampled.sizes)
        checked.add(
            "pictures",
            "right",
            f"{len(sampled.sizes)} of {sampled.tried} tried can be read: {widths[0]:,} to {widths[-1]:,} × "
            f"{heights[0]:,} to {heights[-1]:,} pixels, {sampled.seconds_each * 1000:,.0f} ms each to fetch and decode",
        )
