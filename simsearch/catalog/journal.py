"""Requests to the web and their results, stored as they end, so that an interrupted run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, Self

import pyarrow as pa

from simsearch.storage.parts import list_parts, read_parts, write_part
from simsearch.storage.storage import Storage

FLUSH_ROWS, FLUSH_SECONDS = 200, 10.0  # what an interruption may cost
MANY_PARTS = 50


class Journal:
    """An append-only table, written every few seconds and at the end, also after an error."""

    def __init__(self, storage: Storage, folder: str, schema: pa.Schema) -> None:
        self._storage, self._folder, self._schema = storage, folder, schema
        self._rows: list[dict[str, Any]] = []
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._flush()

    def note(self, row: dict[str, Any]) -> None:
        with self._lock:
            self._rows.append(row)
            late = time.monotonic() - self._last > FLUSH_SECONDS
            if late or len(self._rows) >= FLUSH_ROWS:
                self._flush()

    def _flush(self) -> None:
        write_part(self._storage, self._folder, self._rows, self._schema)
        self._rows, self._last = [], time.monotonic()


def read_newest(
    storage: Storage, folder: str, schema: pa.Schema, *, key: str
) -> list[dict[str, Any]]:
    """The row of each `key` that was checked last. Many small parts become one on the way."""
    parts = list_parts(storage, folder)
    rows = newest_rows(read_parts(storage, folder, schema).to_pylist(), key=key)
    if len(parts) > MANY_PARTS:
        merged = write_part(storage, folder, rows, schema)
        for info in parts:
            if f"{folder}/{info.path}" != merged:
                storage.delete(f"{folder}/{info.path}")
    return rows


def newest_rows(rows: Iterable[dict[str, Any]], *, key: str) -> list[dict[str, Any]]:
    """The row of each `key` that was checked last."""
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[key] not in newest or newest[row[key]]["checked"] <= row["checked"]:
            newest[row[key]] = row
    return list(newest.values())
