"""Detect pictures that an earlier run could not fetch and this run may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from simsearch.catalog.image_names import is_web
from simsearch.errors import StorageError, UsageError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import read_uri

LOOKS_AT_ONCE = 8  # hides a store's latency
STORE_FAILED = "unreadable"  # the store failed, and may work now
LOOKED_FOR = ("not found", "not permitted")


def worth_another_try(rejects: pa.Table, config: StorageConfig) -> bool:
    """Whether a run might fetch a picture that an earlier run could not fetch: the store failed then, or
    the picture can be read now. `rejects` are rows of schemas.REJECTS.

    A missing picture that returns does not change its version in the catalog, so it has to be looked for
    here. Pictures on the web are requested by `ingest`.
    """
    failed = [row for row in rejects.to_pylist() if row["stage"] == "fetch"]
    if any(row["reason"] == STORE_FAILED for row in failed):
        return True
    uris = {
        row["image_uri"]
        for row in failed
        if row["reason"] in LOOKED_FOR and row["image_uri"] and not is_web(row["image_uri"])
    }
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        return any(pool.map(lambda uri: _is_readable(uri, config), sorted(uris)))


def _is_readable(uri: str, config: StorageConfig) -> bool:
    try:
        read_uri(uri, config, 0)
    except (StorageError, UsageError):
        return False
    return True
