"""Pictures inside Parquet files, as in Hugging Face's data sets (`{bytes, path}`).

A reference names such a picture: `parquet+file:///data/train.parquet#image/17` is row 17, from 0, of the
column `image`. Files are read batch by batch, so that no shard is loaded whole.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch import schemas
from simsearch.catalog.arrow_text import is_bytes
from simsearch.catalog.places import EMBEDDED, ETAG, is_embedded
from simsearch.catalog.sniffing import sniff
from simsearch.errors import CatalogError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import Storage, open_uri

FOLDER = "images/embedded"
BATCH = 16  # pictures in memory
WRITERS = 8  # pictures on their way into the store
PEEKED = 64  # filled cells among which a column's first picture has to be

_REFERENCE = re.compile(r"parquet\+(?P<uri>.+)#(?P<column>[^#]+)/(?P<row>\d+)", re.DOTALL)


def reference(uri: str, column: str, row: int) -> str:
    return f"{EMBEDDED}{uri}#{quote(column, safe='')}/{row}"


@dataclass(frozen=True)
class Column:
    """A column of pictures: of bytes, of structs with bytes, or of lists of either."""

    name: str
    kind: pa.DataType

    def filled(self, parquet: pq.ParquetFile) -> Iterator[bool]:
        """Whether each row holds a picture. The bytes are read only if the file's statistics do not say
        so."""
        leaf = (
            f"{self.name}.{_bytes_field(self.kind)}" if pa.types.is_struct(self.kind) else self.name
        )
        for group in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(group)
            parts = [rows.column(number) for number in range(rows.num_columns)]
            counted = [part for part in parts if part.path_in_schema == leaf and part.statistics]
            if counted and counted[0].statistics.null_count == 0:
                yield from [True] * rows.num_rows
            else:
                for cell in self.cells(parquet, [group]):
                    yield picture_of(cell) is not None

    def paths(self, parquet: pq.ParquetFile) -> list[str | None]:
        """The path beside each picture."""
        if not pa.types.is_struct(self.kind) or self.kind.get_field_index("path") < 0:
            return [None] * parquet.metadata.num_rows
        table = parquet.read(columns=[f"{self.name}.path"])
        cells = table.column(self.name).to_pylist()
        return [_path_of(cell) for cell in cells]

    def cells(self, parquet: pq.ParquetFile, groups: Sequence[int]) -> Iterator[Any]:
        for batch in parquet.iter_batches(BATCH, row_groups=groups, columns=[self.name]):
            yield from batch.column(0).to_pylist()


def picture_columns(parquet: pq.ParquetFile) -> list[Column]:
    """The columns of pictures: structs and lists with bytes, and bytes that begin as a picture does."""
    columns = []
    for field in parquet.schema_arrow:
        kind = field.type
        while _is_list(kind):
            kind = kind.value_type
        column = Column(field.name, field.type)
        if (is_bytes(kind) or _bytes_field(kind) is not None) and _are_pictures(parquet, column):
            columns.append(column)
    return columns


def picture_of(cell: Any) -> bytes | None:
    """The first picture of a cell."""
    if isinstance(cell, bytes):
        return cell or None
    if isinstance(cell, dict):
        cell = list(cell.values())
    if isinstance(cell, list):
        return next((picture for part in cell if (picture := picture_of(part)) is not None), None)
    return None


def read_embedded(uri: str, storage: StorageConfig) -> bytes:
    """The picture that a reference names. Raises CatalogError if there is none."""
    path, column, row = _split_reference(uri)
    with open_uri(path, storage) as file, pq.ParquetFile(file, buffer_size=2**20) as parquet:
        for group in range(parquet.num_row_groups):
            count = parquet.metadata.row_group(group).num_rows
            if row < count:
                kind = parquet.schema_arrow.field(column).type
                cells = Column(column, kind).cells(parquet, [group])
                return picture_of(next(islice(cells, row, None))) or b""
            row -= count
    raise CatalogError(f"{path}: no row {row:,} in column {column!r}; read the catalog again")


def store_embedded(table: pa.Table, storage: Storage) -> pa.Table:
    """The catalog in which each reference is replaced by a stored picture, named by the digest of its
    bytes."""
    rows = table.to_pylist()
    wanted: dict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        # A reference that a table itself contains has another ETag.
        if row["etag"] == ETAG and is_embedded(row["image_uri"]):
            uri, column, number = _split_reference(row["image_uri"])
            wanted[uri, column][number] = row
    if not wanted:
        return table
    stored = {info.path for info in storage.files(FOLDER)}
    for (uri, column), numbers in wanted.items():
        for batch in _read_batches(uri, column, sorted(numbers), storage.config):
            new: dict[str, bytes] = {}
            for number, data in batch:
                name = f"{hashlib.sha256(data).hexdigest()[:32]}.{sniff(data) or 'bin'}"
                numbers[number]["image_uri"] = storage.uri(f"{FOLDER}/{name}")
                if name not in stored:
                    new[name] = data
            with ThreadPoolExecutor(WRITERS) as pool:
                list(
                    pool.map(
                        lambda item: storage.write_bytes(f"{FOLDER}/{item[0]}", item[1]),
                        new.items(),
                    )
                )
            stored.update(new)
    etags = {info.uri: info.etag for info in storage.files(FOLDER)}
    for row in rows:
        row["etag"] = etags.get(row["image_uri"], row["etag"])
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def _read_batches(
    uri: str, column: str, numbers: Sequence[int], storage: StorageConfig
) -> Iterator[list[tuple[int, bytes]]]:
    """The pictures of the rows `numbers`, in order, in batches."""
    wanted = set(numbers)
    with open_uri(uri, storage) as file, pq.ParquetFile(file, buffer_size=2**20) as parquet:
        first = 0
        for group in range(parquet.num_row_groups):
            count = parquet.metadata.row_group(group).num_rows
            if not wanted.isdisjoint(range(first, first + count)):
                place = first
                for batch in parquet.iter_batches(BATCH, row_groups=[group], columns=[column]):
                    cells = batch.column(0)
                    chosen = [n for n in range(place, place + len(cells)) if n in wanted]
                    yield [(n, picture_of(cells[n - place].as_py()) or b"") for n in chosen]
                    place += len(cells)
            first += count


def _split_reference(uri: str) -> tuple[str, str, int]:
    match = _REFERENCE.fullmatch(uri)
    if match is None:
        raise CatalogError(
            f"{uri[:200]}: names no picture in a Parquet file; read the catalog again"
        )
    return match["uri"], unquote(match["column"]), int(match["row"])


def _is_list(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(lists or pa.types.is_fixed_size_list(kind))


def _bytes_field(kind: pa.DataType) -> str | None:
    """The name of the only field of bytes in a struct."""
    if not pa.types.is_struct(kind):
        return None
    names = [field.name for field in kind if is_bytes(field.type)]
    return "bytes" if "bytes" in names else names[0] if len(names) == 1 else None


def _are_pictures(parquet: pq.ParquetFile, column: Column) -> bool:
    """Whether one of the first cells begins as a picture does. Structs with paths alone name pictures
    outside the file."""
    all_cells = column.cells(parquet, range(parquet.num_row_groups))
    filled = (cell for cell in all_cells if picture_of(cell) is not None or _path_of(cell))
    cells = list(islice(filled, PEEKED))
    pictures = [picture for cell in cells if (picture := picture_of(cell)) is not None]
    if not pictures:
        return any(_path_of(cell) for cell in cells)
    return any(sniff(picture) is not None for picture in pictures)


def _path_of(cell: Any) -> str | None:
    path = cell.get("path") if isinstance(cell, dict) else None
    return path or None
