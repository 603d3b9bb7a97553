"""Parquet tables, one file or a folder of shards. Pictures inside are not loaded with the table: a
reference names each (`simsearch.catalog.embedded`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simsearch.catalog.arrow_text import make_readable
from simsearch.catalog.embedded import Column, picture_columns, reference
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import open_uri

MAGIC = b"PAR1"
ROW = "(row)"  # a column that numbers the rows of tables with pictures inside
BUFFER = 2**20  # bytes of a column that are fetched at a time


def read_parquet(
    source: str, uris: Sequence[str], storage: StorageConfig, notes: Notes
) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows of all files, and the names of the columns that hold pictures.

    Such a column holds references, or paths if the file has paths alone. The columns `<column>.path` and
    ROW are added. Raises CatalogError.
    """
    tables = []
    pictures: dict[str, None] = {}
    for uri in uris:
        table, columns = _read(uri, storage, notes)
        pictures.update(dict.fromkeys(columns))
        tables.append(table)
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        first = set(tables[0].schema)
        odd = next(
            uri for uri, table in zip(uris, tables, strict=True) if set(table.schema) != first
        )
        raise CatalogError(
            f"{source}: {odd} has other columns than {uris[0]}; name the files of one table"
        ) from None
    if pictures:
        notes.say(f"{source}: the pictures are inside, in {' and '.join(map(repr, pictures))}")
    return table, tuple(pictures)


def _read(uri: str, storage: StorageConfig, notes: Notes) -> tuple[pa.Table, list[str]]:
    with open_uri(uri, storage) as file:
        try:
            # Times of 96 bits, as Spark writes them, would wrap around before 1677.
            with pq.ParquetFile(
                file, buffer_size=BUFFER, coerce_int96_timestamp_unit="us"
            ) as parquet:
                return _read_opened(uri, parquet, notes)
        except (pa.ArrowException, OSError) as error:
            detail = " ".join(str(error).split())
            raise CatalogError(
                f"{uri}: not a readable Parquet file ({detail}); get it again"
            ) from None


def _read_opened(uri: str, parquet: pq.ParquetFile, notes: Notes) -> tuple[pa.Table, list[str]]:
    given = parquet.schema_arrow.names
    if twice := next((name for name in given if given.count(name) > 1), None):
        raise CatalogError(f"{uri}: column {twice!r} occurs twice; rename one of them")
    columns = picture_columns(parquet)
    names = {column.name for column in columns}
    plain = [name for name in parquet.schema_arrow.names if name not in names]
    table = make_readable(_named_labels(parquet.read(columns=plain)), uri, notes)
    if columns:
        stem = PurePosixPath(uri).stem
        rows = [f"{stem}-{row}" for row in range(parquet.metadata.num_rows)]
        numbered = pa.table({ROW: pa.array(rows, pa.string())})
        for name in table.column_names:
            numbered = numbered.append_column(name, table.column(name))
        table = numbered
    for column in columns:
        table = _with_references(table, uri, parquet, column)
    return table, [column.name for column in columns]


def _with_references(
    table: pa.Table, uri: str, parquet: pq.ParquetFile, column: Column
) -> pa.Table:
    paths = column.paths(parquet)
    cells = [
        reference(uri, column.name, row) if filled else paths[row]
        for row, filled in enumerate(column.filled(parquet))
    ]
    table = table.append_column(column.name, pa.array(cells, pa.string()))
    if any(path is not None for path in paths):
        table = table.append_column(f"{column.name}.path", pa.array(paths, pa.string()))
    return table


def _named_labels(table: pa.Table) -> pa.Table:
    """The table with names in place of label numbers, if Hugging Face's metadata has the names."""
    try:
        described = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        features: dict[str, Any] = described["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return table
    for name, feature in features.items():
        names = feature.get("names") if isinstance(feature, dict) else None
        position = table.schema.get_field_index(name)
        if not isinstance(names, list) or position < 0:
            continue
        column = table.column(position)
        if pa.types.is_integer(column.type):
            known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
            numbers = pc.if_else(known, column, None)
            labels = pc.take(pa.array(map(str, names), pa.string()), numbers)
            table = table.set_column(position, name, labels)
    return table
