"""What people said, in parts of a folder that are only ever added to, so that nobody's word is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import pyarrow as pa

from simsearch.errors import DamagedError, NotFoundError
from simsearch.storage.keyed_parts import KeyedParts

WITHDRAWN = ""  # what stands for an answer where somebody takes it back
PARTS_KEPT = 50_000  # rows of a merged part
READINGS = 3  # as another process may merge the parts in the meantime


def add_rows(parts: KeyedParts, rows: pa.Table) -> None:
    """Store rows beside those that are there."""
    parts.write(rows)
    with suppress(NotFoundError):  # another process merges the same parts
        parts.compact(PARTS_KEPT)


def read_rows(parts: KeyedParts, known: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
    """All rows. Raises DamagedError where a column holds another word than is `known` for it."""
    for reading in range(READINGS):
        try:
            return [row for name in parts.stored().names for row in _checked(parts, name, known)]
        except NotFoundError:
            if reading == READINGS - 1:
                raise
    return []


def _checked(
    parts: KeyedParts, name: str, known: Mapping[str, Collection[str]]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parts.read(name, parts.schema.names).to_pylist()
    for column, words in known.items():
        if strange := [row[column] for row in rows if row[column] not in words]:
            path, problem = f"{parts.folder}/{name}", f"{strange[0]!r} is no {column}"
            raise DamagedError(parts.storage.root, path, problem, "restore or remove the file")
    return rows
