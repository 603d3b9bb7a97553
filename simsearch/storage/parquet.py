"""Parquet as it is stored here: compressed, with a checksum of every page that each reading verifies."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.errors import DamagedError

WRITING = {"compression": "zstd", "write_page_checksum": True}
"""What every writer of Parquet is made with: without checksums a flipped bit of a vector is another
vector."""


def encoded(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **WRITING)
    return buffer.getvalue()


def decoded(data: bytes) -> pa.Table:
    """The table of a whole Parquet file. Raises what `is_damage` recognises for another one."""
    return pq.read_table(pa.BufferReader(data), page_checksum_verification=True)


def columns_of(file: Any, columns: list[str]) -> pa.Table:
    """Some columns of a Parquet file that is open; only these are fetched and verified."""
    return pq.read_table(file, columns=columns, page_checksum_verification=True)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the bytes are no Parquet or not those that were written.

    Arrow raises a plain OSError without a number for a wrong checksum; a store's own errors have a
    number or a type of their own.
    """
    if isinstance(error, pa.ArrowException):
        return True
    return type(error) is OSError and error.errno is None and error.__cause__ is None


@contextmanager
def damage_named(root: str, path: str) -> Iterator[None]:
    """Turn what reading a damaged file raises within the block into a DamagedError that names it."""
    try:
        yield
    except Exception as error:
        if not is_damage(error):
            raise
        problem = f"not a readable Parquet file ({' '.join(str(error).split())})"
        raise DamagedError(root, path, problem) from None
