"""A museum's records from a file of any make, told by its content: CSV, TSV, JSON lines, a JSON
array, Excel, OpenDocument, Parquet; or from a folder of JSON files."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine as calamine

from simsearch.catalog.delimited import decode_text, read_delimited
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError, NotFoundError
from simsearch.sections.collection import CatalogConfig
from simsearch.sections.operation import StorageConfig
from simsearch.storage.storage import FileInfo, list_uri, read_uri
from simsearch.storage.uris import normalise_uri

GIT_LFS = b"version https://git-lfs.github.com/spec/"
READERS = 16  # files of a folder in flight; hides a store's latency
MAX_UNPACKED = 4 * 2**30  # bytes; a table that unpacks to more is taken for a bomb

_ZIP, _OLE, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"


@dataclass(frozen=True)
class Records:
    """Rows of one table. `rows(columns)` gives each as a mapping of at least those columns; `places`
    names single rows where a number would not find them (None: "row N", from 1)."""

    source: str
    columns: tuple[str, ...]
    count: int
    rows: Callable[[Collection[str]], Sequence[Mapping[str, Any]]]
    places: Sequence[str] | None = None
    is_folder: bool = False

    @property
    def folder(self) -> str:
        """The folder that relative image names start from unless the settings name another."""
        return self.source if self.is_folder else self.source.rpartition("/")[0]

    def place(self, number: int) -> str:
        """Where row `number`, from 0, stands, in words."""
        return f"row {number + 1:,}" if self.places is None else self.places[number]


def load_records(
    source: str, config: CatalogConfig, storage: StorageConfig, notes: Notes
) -> Records:
    """The records at a URI, a file or a folder of JSON files; what was found out about the file goes
    into `notes`. Raises CatalogError for anything else, NotFoundError where nothing is."""
    source = normalise_uri(source)
    files = list_uri(source, storage)
    if [info.uri for info in files] == [source]:
        records = _load_file(source, read_uri(source, storage), config, notes)
    else:
        records = _load_folder(source, files, storage, notes)
    if not records.count:
        raise CatalogError(f"{source}: no records in it; check catalog.source")
    return records


def of_dicts(
    source: str, rows: Sequence[Mapping[str, Any]], places: Sequence[str] | None = None
) -> Records:
    columns = dict.fromkeys(name for row in rows for name in row)
    return Records(source, tuple(columns), len(rows), lambda _: rows, places)


def of_table(source: str, table: pa.Table) -> Records:
    def rows(columns: Collection[str]) -> Sequence[Mapping[str, Any]]:
        chosen: list[dict[str, Any]] = table.select(
            [name for name in table.column_names if name in columns]
        ).to_pylist()
        return chosen

    return Records(source, tuple(table.column_names), table.num_rows, rows)


def _load_file(source: str, data: bytes, config: CatalogConfig, notes: Notes) -> Records:
    if data.startswith(_GZIP):
        data = _unpacked(source, data)
    if data.startswith(GIT_LFS):
        raise CatalogError(
            f"{source}: a Git LFS pointer, not the table itself; run `git lfs pull` in its folder"
        )
    if not data.strip():
        raise CatalogError(f"{source}: an empty file; get the table again")
    if data.startswith(b"PAR1"):
        return _parquet(source, data)
    if data.startswith((_ZIP, _OLE)):
        return _workbook(source, data, notes)
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise CatalogError(
            f"{source}: a web page or XML, not a table; download the table itself, as CSV, JSON, Excel or Parquet"
        )
    if data.startswith(b"%PDF"):
        raise CatalogError(f"{source}: a PDF, not a table; export it as CSV or Excel")
    text = decode_text(data, config.encoding, source, notes)
    if text.lstrip()[:1] in ("{", "["):
        return of_dicts(source, _json_records(source, text, notes))
    table, delimiter = read_delimited(text, config.delimiter, source, notes)
    notes.say(f"{source}: a table of {table.num_columns} columns separated by {delimiter}")
    return of_table(source, table)


def _unpacked(source: str, data: bytes) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(data, MAX_UNPACKED)
    except zlib.error as error:
        raise CatalogError(f"{source}: broken gzip file ({error}); get it again") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise CatalogError(f"{source}: a gzip file that is cut off or unpacks to more than 4 GiB")
    return unpacked


def _parquet(source: str, data: bytes) -> Records:
    try:
        return of_table(source, pq.read_table(pa.BufferReader(data)))
    except (pa.ArrowInvalid, OSError) as error:
        raise CatalogError(
            f"{source}: not a readable Parquet file ({error}); get it again"
        ) from None


def _workbook(source: str, data: bytes, notes: Notes) -> Records:
    """The first sheet with rows; its first row that is not empty names the columns."""
    try:
        if data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                    raise CatalogError(f"{source}: unpacks to more than 4 GiB; export it as CSV")
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise CatalogError(
            f"{source}: not a readable Excel or OpenDocument table ({detail}); export it as CSV"
        ) from None
    filled = [(name, rows) for name, rows in sheets if any(any(row) for row in rows)]
    if not filled:
        raise CatalogError(f"{source}: a workbook without a filled sheet; check the file")
    name, rows = filled[0]
    if len(sheets) > 1:
        notes.say(f"{source}: read sheet {name!r}, the first filled one of {len(sheets)}")
    first = next(number for number, row in enumerate(rows) if any(row))
    header = [str(cell).strip() for cell in rows[first]]
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise CatalogError(f"{source}: column {twice[0]!r} occurs twice; rename one of them")
    body = [
        (number, row) for number, row in enumerate(rows[first + 1 :], start=first + 2) if any(row)
    ]
    records = [
        {column: cell for column, cell in zip(header, row, strict=False) if column}
        for _, row in body
    ]
    return of_dicts(source, records, [f"line {number:,} of sheet {name}" for number, _ in body])


def _json_records(source: str, text: str, notes: Notes) -> list[dict[str, Any]]:
    """Records of an array, of the one list of records in an object, or of an object a line."""
    try:
        value = json.loads(text)
    except ValueError as whole_error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            value = [json.loads(line) for line in lines]
        except ValueError:
            raise CatalogError(
                f"{source}: not valid JSON, neither whole nor line by line ({whole_error}); get the file again"
            ) from None
        notes.say(f"{source}: JSON lines")
    if isinstance(value, dict):
        lists = {
            key: items
            for key, items in value.items()
            if isinstance(items, list) and items and all(isinstance(item, dict) for item in items)
        }
        if len(lists) == 1 and not _looks_like_a_record(value):
            ((key, value),) = lists.items()
            notes.say(f"{source}: the records are those under {key!r}")
        else:
            value = [value]
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise CatalogError(f"{source}: JSON that is no list of records; check catalog.source")
    return value


def _looks_like_a_record(value: Mapping[str, Any]) -> bool:
    return "title" in value or "id" in value


def _load_folder(
    source: str, files: Sequence[FileInfo], storage: StorageConfig, notes: Notes
) -> Records:
    documents = [info for info in files if info.path.lower().endswith(".json")]
    if not documents:
        tables = [info.path for info in files if info.path.lower().endswith((".csv", ".xlsx"))]
        hint = f"name a file of it, such as {tables[0]}" if tables else "check catalog.source"
        raise CatalogError(f"{source}: a folder without .json files; {hint}")

    def load(info: FileInfo) -> list[dict[str, Any]] | None:
        try:
            return _json_records(info.uri, read_uri(info.uri, storage).decode("utf-8-sig"), Notes())
        except (CatalogError, NotFoundError, UnicodeDecodeError):
            return None

    rows: list[dict[str, Any]] = []
    places: list[str] = []
    with ThreadPoolExecutor(READERS) as pool:
        for info, records in zip(documents, pool.map(load, documents), strict=True):
            if records is None:
                notes.leave_out("unreadable JSON files", info.uri)
            rows.extend(records or ())
            places.extend([info.path] * len(records or ()))
    notes.say(f"{source}: {len(documents):,} JSON files")
    return replace(of_dicts(source, rows, places), is_folder=True)
