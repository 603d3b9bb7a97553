"""A museum's records, from a folder of JSON files or Parquet shards or from a single file, whose content
decides its kind: CSV, TSV, JSON lines, a JSON array, Excel, OpenDocument, Parquet, each also packed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import pyarrow as pa

from simsearch.catalog.decoding import decode_text
from simsearch.catalog.delimited import read_delimited
from simsearch.catalog.json_records import json_records
from simsearch.catalog.notes import Notes
from simsearch.catalog.parquet import MAGIC, read_parquet
from simsearch.catalog.unpacking import ZIP, unpack
from simsearch.catalog.workbooks import OLE, read_workbook
from simsearch.errors import CatalogError, NotFoundError
from simsearch.settings.sections.collection import CatalogConfig
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import FileInfo, list_uri, read_uri
from simsearch.storage.uris import normalise_uri

TABLES = (".csv", ".tsv", ".xlsx", ".ods", ".xls", ".jsonl", ".gz", ".bz2", ".xz", ".zst", ".zip")
# The first bytes of files that hold tables, but are not read, and the last bytes where the first could be
# those of a text.
_OTHER_KINDS = (
    (b"ARROW1", b"ARROW1", "an Arrow (Feather) file"),
    (b"\xff\xff\xff\xff", b"", "an Arrow stream"),
    (b"FEA1", b"FEA1", "a Feather file"),
    (b"ORC", b"ORC", "an ORC file"),
    (b"PARE", b"PARE", "an encrypted Parquet file"),
    (b"Obj\x01", b"", "an Avro file"),
    (b"SQLite format 3\x00", b"", "a SQLite database"),
    (b"\x89HDF\r\n\x1a\n", b"", "an HDF5 file"),
    (b"\x93NUMPY", b"", "a NumPy file"),
    (b"\x80\x04\x95", b"", "a Python pickle"),
    (b"{\\rtf", b"", "a word processor's text (RTF)"),
)
GIT_LFS = b"version https://git-lfs.github.com/spec/"
READERS = 16  # files of a folder in flight; hides a store's latency
DATASET_NOTES = (
    "dataset_info"  # begins the names of JSON files that Hugging Face lays beside shards
)


@dataclass(frozen=True)
class Records:
    """Rows of one table. `rows(columns)` gives each as a mapping of at least those columns. `places` has
    words for rows that a number would not identify (None: "row N", from 1). `pictures` are the columns
    whose pictures lie inside the `files`."""

    source: str
    columns: tuple[str, ...]
    count: int
    rows: Callable[[Collection[str]], Sequence[Mapping[str, Any]]]
    places: Sequence[str] | None = None
    is_folder: bool = False
    pictures: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The folder that relative image names start from unless the settings name another."""
        return self.source if self.is_folder else self.source.rpartition("/")[0]

    def place(self, number: int) -> str:
        """The place of row `number`, from 0, in words."""
        return f"row {number + 1:,}" if self.places is None else self.places[number]


def load_records(
    source: str, config: CatalogConfig, storage: StorageConfig, notes: Notes
) -> Records:
    """The records at a URI: a file, a folder of JSON files or of Parquet shards, or a pattern such as
    `data/train-*.parquet`. Detected properties go into `notes`.

    Raises CatalogError for anything else, NotFoundError if nothing is there.
    """
    source = normalise_uri(source)
    files = _files(source, storage)
    if [info.uri for info in files] == [source]:
        records = _load_file(source, config, storage, notes)
    else:
        records = _load_folder(source, files, storage, notes)
    if not records.count:
        raise CatalogError(
            f"{source}: no records in it{_describe_omission(notes)}; check catalog.source"
        )
    return records


def _files(source: str, storage: StorageConfig) -> list[FileInfo]:
    folder, _, pattern = source.rpartition("/")
    try:
        return list_uri(source, storage)
    except NotFoundError:
        if "*" not in pattern:
            raise
    files = [info for info in list_uri(folder, storage) if fnmatchcase(info.path, pattern)]
    if not files:
        raise NotFoundError(f"{source}: no file of that pattern; check catalog.source")
    return files


def _describe_omission(notes: Notes) -> str:
    """The most frequent reason for an omission, with its first example."""
    counted = [line for line in notes.summary() if line.startswith("left out")]
    return f" ({counted[0]})" if counted else ""


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


def _load_file(source: str, config: CatalogConfig, storage: StorageConfig, notes: Notes) -> Records:
    if read_uri(source, storage, len(MAGIC) - 1) == MAGIC:
        return _parquet(source, [source], storage, notes)
    data = unpack(source, read_uri(source, storage))
    if data.startswith(GIT_LFS):
        raise CatalogError(
            f"{source}: a Git LFS pointer, not the table itself; run `git lfs pull` in its folder"
        )
    if not data.strip():
        raise CatalogError(f"{source}: an empty file; get the table again")
    if data.startswith(MAGIC):
        raise CatalogError(f"{source}: packed Parquet; unpack it, Parquet is small in itself")
    if data.startswith((ZIP, OLE)):
        return of_dicts(source, *read_workbook(source, data, notes))
    if data.startswith(b"%PDF"):
        raise CatalogError(f"{source}: a PDF, not a table; export it as CSV or Excel")
    if kind := next((kind for *ends, kind in _OTHER_KINDS if _is_between(data, *ends)), None):
        raise CatalogError(f"{source}: {kind}, which is not read; save it as CSV, JSON or Parquet")
    text = decode_text(data, config.encoding, source, notes)
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise CatalogError(
            f"{source}: a web page or XML, not a table; download the table itself, as CSV, JSON, Excel or Parquet"
        )
    if text.lstrip()[:1] in ("{", "["):
        return of_dicts(source, *json_records(source, text, notes))
    table, places, delimiter = read_delimited(text, config.delimiter, source, notes)
    notes.say(f"{source}: a table of {table.num_columns} columns separated by {delimiter}")
    return replace(of_table(source, table), places=places)


def _is_between(data: bytes, first: bytes, last: bytes) -> bool:
    return data.startswith(first) and last in data[-8:]


def _parquet(source: str, uris: Sequence[str], storage: StorageConfig, notes: Notes) -> Records:
    table, pictures = read_parquet(source, uris, storage, notes)
    return replace(of_table(source, table), pictures=pictures, files=tuple(uris))


def _load_folder(
    source: str, files: Sequence[FileInfo], storage: StorageConfig, notes: Notes
) -> Records:
    documents = [info for info in files if info.path.lower().endswith(".json")]
    shards = [info for info in files if info.path.lower().endswith(".parquet")]
    described = [info for info in documents if DATASET_NOTES in info.path]
    if len(shards) > len(documents) - len(described):
        return _load_shards(source, shards, files, storage, notes)
    if not documents:
        tables = [info.path for info in files if info.path.lower().endswith(TABLES)]
        hint = f"name a file of it, such as {tables[0]}" if tables else "check catalog.source"
        raise CatalogError(f"{source}: a folder without .json or .parquet files; {hint}")

    def load(info: FileInfo) -> tuple[list[dict[str, Any]], Notes] | None:
        its_notes = Notes()
        try:
            text = read_uri(info.uri, storage).decode("utf-8-sig")
            return json_records(info.uri, text, its_notes)[0], its_notes
        except (CatalogError, NotFoundError, UnicodeDecodeError):
            return None

    rows: list[dict[str, Any]] = []
    places: list[str] = []
    with ThreadPoolExecutor(READERS) as pool:
        for info, loaded in zip(documents, pool.map(load, documents), strict=True):
            if loaded is None:
                notes.leave_out("unreadable JSON files", info.uri)
                continue
            records, its_notes = loaded
            for reason, (count, example) in its_notes.left_out.items():
                notes.leave_out(reason, f"{info.path}, {example}", count)
            rows.extend(records)
            places.extend([info.path] * len(records))
    notes.say(f"{source}: {len(documents):,} JSON files")
    return replace(of_dicts(source, rows, places), is_folder=True)


def _load_shards(
    source: str,
    shards: Sequence[FileInfo],
    files: Sequence[FileInfo],
    storage: StorageConfig,
    notes: Notes,
) -> Records:
    """The rows of a folder's Parquet files as one table. A note counts the folder's other files."""
    others = len(files) - len(shards)
    beside = f", {others:,} other files not read" if others else ""
    notes.say(f"{source}: {len(shards):,} Parquet files, the first {shards[0].path}{beside}")
    records = _parquet(source, [info.uri for info in shards], storage, notes)
    return replace(records, is_folder="*" not in source.rpartition("/")[2])
