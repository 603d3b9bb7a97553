"""Images that the catalog names by web address, fetched into the store and kept up to date.

What arrives is told by its first bytes, not by its name or Content-Type. What was fetched, when, and
the server's ETag are noted as it comes in (`downloads/`), so an interrupted run goes on where it
stopped. An image that cannot be fetched keeps its address, and extraction rejects it for the reason
that is noted.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice, zip_longest
from typing import Any

import httpx
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.journal import Journal, read_newest
from simsearch.catalog.places import is_web
from simsearch.catalog.web import Answer, BusyError, RefusedError, WebClient, reason_of
from simsearch.runtime.progress import progress
from simsearch.settings.sections.collection import DownloadConfig
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import FileInfo, Storage

log = logging.getLogger(__name__)

FOLDER = "images/downloaded"
STATE = "downloads"
DAY = 86_400.0

_SIGNATURES = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"II+\x00", "tif"),
    (b"MM\x00+", "tif"),
    (b"BM", "bmp"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "j2k"),
)
_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}


def download_images(
    table: pa.Table, storage: Storage, config: DownloadConfig, *, again: bool = False
) -> pa.Table:
    """The catalog with each http(s) image_uri that could be fetched replaced by its place in the store.

    Stored images are asked for again, on condition that they changed, after `check_again_days`; so are
    those that failed for good, or at once with `again`.
    """
    rows = table.to_pylist()
    web = [row for row in rows if is_web(row["image_uri"])]
    if web:
        stored, state = _stored(storage), _states(storage)
        if config.enabled:
            todo = [row for row in web if _due(row, stored, state, config, again)]
            _report_given_up(web, todo, stored, state, config)
            if todo:
                _download_all(todo, storage, config, stored, state)
                stored = _stored(storage)
        elif missing := sum(_name(row) not in stored for row in web):
            log.warning(
                "ingest: %s images lie on the web and are not fetched; catalog.download.enabled=true fetches them",
                f"{missing:,}",
            )
        for row in web:
            if info := stored.get(_name(row)):
                row["image_uri"], row["etag"] = info.uri, info.etag
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def downloaded_from(storage: Storage) -> dict[str, str]:
    """The web address of each stored image, by its place in the store without its extension."""
    rows = read_parts(storage, STATE, schemas.DOWNLOADS).select(["name", "url"]).to_pylist()
    return {storage.uri(f"{FOLDER}/{row['name']}"): row["url"] for row in rows}


def download_problems(storage: Storage) -> dict[str, str]:
    """Why the last request for an image failed, by its web address."""
    rows = read_newest(storage, STATE, schemas.DOWNLOADS, key="name")
    return {row["url"]: row["problem"] for row in rows if row["problem"]}


def sniff(data: bytes) -> str | None:
    """The file extension that an image's first bytes call for, or None for no image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        return _BRANDS[data[8:12]]
    return next((extension for start, extension in _SIGNATURES if data.startswith(start)), None)


def _stored(storage: Storage) -> dict[str, FileInfo]:
    return {info.path.rpartition(".")[0]: info for info in storage.files(FOLDER)}


def _states(storage: Storage) -> dict[str, dict[str, Any]]:
    """What is known of the last request for each stored name, by that name."""
    rows = read_newest(storage, STATE, schemas.DOWNLOADS, key="name")
    return {row["name"]: row for row in rows}


def _due(
    row: dict[str, Any],
    stored: dict[str, FileInfo],
    state: dict[str, dict[str, Any]],
    config: DownloadConfig,
    again: bool,
) -> bool:
    name = _name(row)
    known = state.get(name)
    if name in stored:
        checked = known["checked"] if known else stored[name].modified
    elif known is None or again or not known["lasting"] or not known["problem"]:
        return True
    else:
        checked = known["checked"]
    return time.time() - float(checked) >= config.check_again_days * DAY


def _report_given_up(
    web: list[dict[str, Any]],
    todo: list[dict[str, Any]],
    stored: dict[str, FileInfo],
    state: dict[str, dict[str, Any]],
    config: DownloadConfig,
) -> None:
    """Log the images that failed in an earlier run and are not asked for in this one."""
    asked = {_name(row) for row in todo}
    problems: dict[str, list[str]] = defaultdict(list)
    for row in web:
        name = _name(row)
        if name not in asked and name not in stored:
            problems[state[name]["problem"]].append(row["image_uri"])
    for problem, addresses in sorted(problems.items(), key=lambda item: -len(item[1])):
        log.warning(
            "download: %s failed in an earlier run and are asked for again after %g days: %s (such as %s)",
            f"{len(addresses):,}", config.check_again_days, problem, addresses[0],
        )  # fmt: skip


def _download_all(
    todo: list[dict[str, Any]],
    storage: Storage,
    config: DownloadConfig,
    stored: dict[str, FileInfo],
    state: dict[str, dict[str, Any]],
) -> None:
    failed: dict[str, list[str]] = defaultdict(list)
    changed = 0
    with (
        WebClient(config) as client,
        Journal(storage, STATE, schemas.DOWNLOADS) as journal,
        progress("download", len(todo), "images", 10) as advance,
    ):

        def fetch(row: dict[str, Any]) -> bool:
            name = _name(row)
            known = state.get(name, {}) if name in stored else {}
            try:
                answer = client.get(
                    row["image_uri"],
                    config.max_bytes,
                    etag=known.get("etag"),
                    last_modified=known.get("last_modified"),
                )
                written = _store(answer, name, stored.get(name), storage)
            except (RefusedError, BusyError, httpx.HTTPError) as error:
                reason = reason_of(error)
                failed[reason].append(row["image_uri"])
                lasting = getattr(error, "lasting", False)
                journal.note(_noted(row, Answer(None, None, None), lasting, reason))
                return False
            journal.note(_noted(row, answer, False, None))
            return written

        for done, was_written in enumerate(in_parallel(fetch, todo, config.concurrency), start=1):
            changed += was_written
            advance(done)
    log.info("download: %s of %s images new or changed", f"{changed:,}", f"{len(todo):,}")
    for reason, addresses in sorted(failed.items(), key=lambda item: -len(item[1])):
        log.warning(
            "download: %s failed: %s (such as %s)", f"{len(addresses):,}", reason, addresses[0]
        )


def in_parallel(call: Any, rows: list[dict[str, Any]], threads: int) -> Iterator[Any]:
    """The results of `call` as they come, hosts taking turns; what is not begun is dropped when the
    caller stops."""
    rows = _hosts_in_turn(rows)
    pool = ThreadPoolExecutor(threads)
    try:
        waiting = iter(rows)
        while batch := list(islice(waiting, 64 * threads)):
            for future in as_completed([pool.submit(call, row) for row in batch]):
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _hosts_in_turn(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    by_host: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        # Split by hand: an address may be none that a library takes, and is refused when it is asked for.
        by_host[row["image_uri"].partition("://")[2].partition("/")[0].lower()].append(row)
    turns = zip_longest(*by_host.values())
    return [row for turn in turns for row in turn if row is not None]


def _store(answer: Answer, name: str, info: FileInfo | None, storage: Storage) -> bool:
    """Store an answer unless the same bytes are stored already; returns whether it was written."""
    if answer.data is None:
        return False
    extension = sniff(answer.data)
    if extension is None:
        raise RefusedError("what came is no image", lasting=True)
    path = f"{FOLDER}/{name}.{extension}"
    if info is not None and storage.uri(path) == info.uri and info.size == len(answer.data):
        if storage.read_bytes(path) == answer.data:
            return False
    elif info is not None and storage.uri(path) != info.uri:
        storage.delete(f"{FOLDER}/{info.path}")
    storage.write_bytes(path, answer.data)
    return True


def _noted(
    row: dict[str, Any], answer: Answer, lasting: bool, problem: str | None
) -> dict[str, Any]:
    return {
        "name": _name(row),
        "url": row["image_uri"],
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "checked": time.time(),
        "lasting": lasting,
        "problem": problem,
    }


def _name(row: dict[str, Any]) -> str:
    """A file name that is safe on any store, and another one when the address changes."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", row["artwork_id"])[:60].strip("-")
    digest = hashlib.sha256(f"{row['artwork_id']}\n{row['image_uri']}".encode()).hexdigest()[:12]
    return f"{readable}-{digest}"
