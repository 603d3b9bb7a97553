"""Append-only tables: a folder of Parquet files, each named for its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from simsearch.storage.inside import make_relative, resolve
from simsearch.storage.parquet import encode_table
from simsearch.storage.storage import FileInfo, Storage

PART = re.compile(r"part-[0-9a-z]+\.parquet$")


def write_part(
    storage: Storage, folder: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> str | None:
    """Add rows to an append-only table. The file is named by its content, so a retry adds nothing.

    An empty text becomes null. Returns the file's path, or None if there are no rows.
    """
    if not rows:
        return None
    table = pa.table(
        {field.name: [_value(row.get(field.name)) for row in rows] for field in schema},
        schema=schema,
    )
    data = encode_table(make_relative(storage.root, table))
    path = f"{folder}/{part_name(data)}"
    storage.write_bytes(path, data)
    return path


def part_name(data: bytes) -> str:
    """The name of a file with these bytes in an append-only table."""
    return f"part-{hashlib.sha256(data).hexdigest()[:20]}.parquet"


def list_parts(storage: Storage, folder: str) -> list[FileInfo]:
    """The files of an append-only table. Other files in its folder are not simsearch's."""
    return [info for info in storage.files(folder) if PART.match(info.path)]


def read_parts(storage: Storage, folder: str, schema: pa.Schema) -> pa.Table:
    """All rows of an append-only table, the oldest part's first. A column that a part lacks is null in
    its rows."""
    parts = sorted(list_parts(storage, folder), key=lambda info: (info.modified, info.path))
    tables = [storage.read_table(f"{folder}/{info.path}") for info in parts]
    rows = pa.concat_tables([schema.empty_table(), *tables], promote_options="default")
    return resolve(storage.root, rows.select(schema.names))


def _value(value: Any) -> Any:
    return None if value == "" else value
