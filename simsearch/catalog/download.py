"""Images that the catalog names by web address, fetched into the store and kept up to date.

The first bytes of a file decide what it is, not its name or Content-Type. Each request is noted when it
ends (`stored_downloads`), so an interrupted run goes on where it stopped. An image that cannot be
fetched keeps its address, and extraction rejects it for the noted reason. Secrets in addresses are used
only in requests: addresses are stored `without_secrets`.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from typing import Any

import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.image_names import is_web
from simsearch.catalog.journal import Journal
from simsearch.catalog.stored_downloads import (
    STATE,
    StoredDownloads,
    download_name,
    journal_row,
    store_picture,
)
from simsearch.catalog.web.client import Answer, WebClient
from simsearch.catalog.web.errors import FAILURES, reason_of
from simsearch.catalog.web.turns import call_in_parallel
from simsearch.runtime.progress import progress
from simsearch.settings.secrets import without_secrets
from simsearch.settings.sections.collection import DownloadConfig
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

DAY = 86_400.0

Row = dict[str, Any]


def download_images(
    table: pa.Table, storage: Storage, config: DownloadConfig, *, again: bool = False
) -> pa.Table:
    """The catalog in which each http(s) image_uri that could be fetched is replaced by a stored file.

    After `check_again_days`, a conditional request asks whether a stored image has changed, and images
    that failed for good are requested again. With `again`, the latter are requested at once.
    """
    rows = table.to_pylist()
    web = [row for row in rows if is_web(row["image_uri"])]
    if web:
        stored = StoredDownloads.read(storage)
        if config.enabled:
            todo = [row for row in web if _is_due(row, stored, config, again)]
            _report_given_up(web, todo, stored, config)
            if todo:
                _download_all(todo, storage, config, stored)
                stored = StoredDownloads.read(storage)
        elif missing := sum(stored.present(download_name(row)) is None for row in web):
            log.warning(
                "ingest: %s images lie on the web and are not fetched; catalog.download.enabled=true fetches them",
                f"{missing:,}",
            )
        for row in web:
            if info := stored.present(download_name(row)):
                row["image_uri"], row["etag"] = info.uri, info.etag
            else:
                row["image_uri"] = without_secrets(row["image_uri"])
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def _is_due(row: Row, stored: StoredDownloads, config: DownloadConfig, again: bool) -> bool:
    name = download_name(row)
    known = stored.states.get(name)
    if info := stored.present(name):
        checked = known["checked"] if known else info.modified
    elif known is None or again or not known["lasting"] or not known["problem"]:
        return True
    else:
        checked = known["checked"]
    return time.time() - float(checked) >= config.check_again_days * DAY


def _report_given_up(
    web: list[Row], todo: list[Row], stored: StoredDownloads, config: DownloadConfig
) -> None:
    """Log the images that failed in an earlier run and are not requested in this one."""
    asked = {download_name(row) for row in todo}
    problems: dict[str, list[str]] = defaultdict(list)
    for row in web:
        name = download_name(row)
        if name not in asked and stored.present(name) is None:
            problems[stored.states[name]["problem"]].append(without_secrets(row["image_uri"]))
    for problem, addresses in sorted(problems.items(), key=lambda item: -len(item[1])):
        log.warning(
            "download: %s failed in an earlier run and are asked for again after %g days: %s (such as %s)",
            f"{len(addresses):,}", config.check_again_days, problem, addresses[0],
        )  # fmt: skip


def _download_all(
    todo: list[Row], storage: Storage, config: DownloadConfig, stored: StoredDownloads
) -> None:
    failed: dict[str, list[str]] = defaultdict(list)
    changed = 0
    with (
        WebClient(config) as client,
        Journal(storage, STATE, schemas.DOWNLOADS) as journal,
        progress("download", len(todo), "images", 10) as advance,
    ):

        def fetch(row: Row) -> bool:
            """Whether a new or changed picture was stored."""
            name = download_name(row)
            info, known = stored.present(name), stored.known(name)
            present = None if info is None else info.path
            etag, last_modified = known.get("etag"), known.get("last_modified")
            try:
                answer = client.get(row["image_uri"], config.max_bytes, etag, last_modified)
                file = present
                if answer.data is not None:
                    file = store_picture(name, answer.data, stored, storage)
            except FAILURES as error:
                reason = reason_of(error)
                failed[reason].append(without_secrets(row["image_uri"]))
                lasting = getattr(error, "lasting", False)
                before = Answer(None, etag, last_modified)
                journal.note(journal_row(row, before, present, reason, lasting))
                return False
            journal.note(journal_row(row, answer, file, None, False))
            return file != present

        for done, is_new in enumerate(call_in_parallel(fetch, todo, config.concurrency), start=1):
            changed += is_new
            advance(done)
    log.info("download: %s of %s images new or changed", f"{changed:,}", f"{len(todo):,}")
    for reason, addresses in sorted(failed.items(), key=lambda item: -len(item[1])):
        log.warning(
            "download: %s failed: %s (such as %s)", f"{len(addresses):,}", reason, addresses[0]
        )
