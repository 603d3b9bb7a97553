"""Parquet as stored here: compressed, with a checksum of every page, verified at each reading."""

from __future__ import annotations

import base64
import io
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simsearch.errors import DamagedError

WRITING = {"compression": "zstd", "write_page_checksum": True}
"""Arguments of every Parquet writer. Without checksums a flipped bit would silently change a vector."""


def encode_table(table: pa.Table, group_rows: int | None = None) -> bytes:
    """A table as the bytes of a Parquet file, with a row group for each `group_rows` rows."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=group_rows, **WRITING)
    return buffer.getvalue()


def decode_table(data: bytes) -> pa.Table:
    """The table of a whole Parquet file that `encode_table` wrote. For other bytes it raises an
    error that `is_damage` recognises."""
    return _opened(pa.BufferReader(data)).read()


def read_columns(file: Any, columns: list[str]) -> pa.Table:
    """Some columns of an open Parquet file. Only these are fetched and verified."""
    table = _opened(file).read(columns)
    if absent := [name for name in columns if name not in table.column_names]:
        raise pa.ArrowInvalid(f"no column {', '.join(absent)}")
    return table.select(columns)


def read_rows(file: Any, column: str, values: pa.Array) -> pa.Table:
    """The rows of an open Parquet file with one of the texts `values` in a `column`, by which the rows are
    sorted. Only the row groups that may have them are fetched and verified."""
    opened = _opened(file)
    place = opened.schema_arrow.names.index(column)
    wanted = sorted(values.to_pylist())
    groups = []
    for group in range(opened.num_row_groups):
        known = opened.metadata.row_group(group).column(place).statistics
        following = bisect_left(wanted, known.min)
        if following < len(wanted) and wanted[following] <= known.max:
            groups.append(group)
    rows = opened.read_row_groups(groups)
    return rows.filter(pc.is_in(rows[column], value_set=values))


def _opened(file: Any) -> pq.ParquetFile:
    """A Parquet file whose schema is whole: its footer has no checksum, but the schema stands in it twice.
    Raises ArrowInvalid where the two differ, as after a flipped bit in a column's name."""
    try:
        opened = pq.ParquetFile(file, pre_buffer=True, page_checksum_verification=True)
        written = base64.b64decode(opened.metadata.metadata[b"ARROW:schema"])
        same = opened.schema_arrow.equals(pa.ipc.read_schema(pa.BufferReader(written)))
    except (pa.ArrowException, OSError):
        raise
    except (KeyError, TypeError, ValueError):  # no such entry, no base64, no letters
        same = False
    if not same:
        raise pa.ArrowInvalid("the schema in its footer is damaged")
    return opened


def is_damage(error: Exception) -> bool:
    """Whether an error means that the bytes are no Parquet or not those that were written.

    For a wrong checksum Arrow raises a plain OSError without a number. Errors of a store have a number
    or a type of their own.
    """
    if isinstance(error, pa.ArrowException):
        return True
    return type(error) is OSError and error.errno is None and error.__cause__ is None


@contextmanager
def naming_damage(root: str, path: str) -> Iterator[None]:
    """Turn the error that a damaged file causes within the block into a DamagedError that names the file."""
    try:
        yield
    except Exception as error:
        if not is_damage(error):
            raise
        problem = f"not a readable Parquet file ({' '.join(str(error).split())})"
        raise DamagedError(root, path, problem) from None
