"""Any fsspec URI as one small type: local folders and S3 behave the same.

A file is either absent or whole: local writes go to a temporary name that is then renamed, S3
objects appear when their upload completes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa

from simsearch.errors import DamagedError, NotFoundError
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.failures import _errors, _retrying
from simsearch.storage.filesystems import (
    LOCK,
    TEMPORARY,
    _copy,
    _filesystem,
    _get_object,
    _put_object,
    _replace_local,
    _replacing,
)
from simsearch.storage.objects import _read_object
from simsearch.storage.parquet import (
    decode_table,
    encode_table,
    naming_damage,
    read_columns,
    read_rows,
)
from simsearch.storage.regular import kind_of, read_regular
from simsearch.storage.uris import _bare, is_litter, is_local, join_uri, local_path, normalise_uri

DEFAULT_STORAGE = StorageConfig()
_T = TypeVar("_T")


@dataclass(frozen=True)
class FileInfo:
    """One stored file: its whole `uri`, its `path` below the listed folder, its `size` in bytes, when it
    was `modified` in seconds since 1970. `kind` is "file", or another kind of `regular.kind_of`."""

    uri: str
    path: str
    size: int
    etag: str
    modified: float
    kind: str = "file"


@dataclass(frozen=True)
class Storage:
    """Files under one root URI; every path given to a method is relative to it."""

    root: str
    config: StorageConfig = DEFAULT_STORAGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", normalise_uri(self.root))

    def uri(self, path: str = "") -> str:
        return join_uri(self.root, path)

    def at(self, path: str) -> Storage:
        """The storage of a folder below this one."""
        return Storage(self.uri(path), self.config)

    def read_bytes(self, path: str) -> bytes:
        return read_uri(self.uri(path), self.config)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Store a whole file at once. A reader sees either the old file or the new one."""
        uri = self.uri(path)
        with _errors(uri, "write"):
            if is_local(uri):
                with _replacing(Path(local_path(uri))) as unfinished:
                    unfinished.write_bytes(data)
            else:
                _retrying(self.config, lambda: _filesystem(uri, self.config).pipe_file(uri, data))

    def exists(self, path: str) -> bool:
        uri = self.uri(path)
        with _errors(uri, "look up"):
            return bool(_retrying(self.config, lambda: _filesystem(uri, self.config).exists(uri)))

    def files(self, path: str = "") -> list[FileInfo]:
        """All files below a folder except the litter of file managers, sorted. No files for an absent
        folder."""
        try:
            files = list_uri(self.uri(path), self.config)
        except NotFoundError:
            return []
        return [info for info in files if not is_litter(info.path)]

    def delete(self, path: str) -> None:
        """Remove a file. It is no error if the file is already gone."""
        uri = self.uri(path)
        with _errors(uri, "delete"):
            try:
                _retrying(self.config, lambda: _filesystem(uri, self.config).rm_file(_bare(uri)))
            except FileNotFoundError:
                return

    def read_versioned(self, path: str) -> tuple[bytes, str]:
        """A small file's bytes with the version that `replace` compares. Raises NotFoundError."""
        uri = self.uri(path)
        with _errors(uri, "read"):
            if is_local(uri):
                data = Path(local_path(uri)).read_bytes()
                return data, hashlib.sha256(data).hexdigest()
            return _retrying(self.config, lambda: _get_object(uri, self.config))

    def replace(self, path: str, data: bytes, expected: str | None) -> str:
        """Compare and swap: store `data` if the file is still of version `expected` (None: absent).

        Returns the new version. Raises ConflictError if another process replaced the file first. Local
        disks use a file lock, S3 a conditional put. A store without conditional puts just writes.
        """
        uri = self.uri(path)
        with _errors(uri, "write"):
            if is_local(uri):
                return _replace_local(Path(local_path(uri)), data, expected)
            return _retrying(self.config, lambda: _put_object(uri, self.config, data, expected))

    def upload(self, local: Path, path: str) -> None:
        """Store a local file of any size."""
        uri = self.uri(path)
        with _errors(uri, "write"):
            if is_local(uri):
                with _replacing(Path(local_path(uri))) as unfinished:
                    _copy(local, unfinished)
            else:
                _retrying(
                    self.config, lambda: _filesystem(uri, self.config).put_file(str(local), uri)
                )

    def download(self, path: str, local: Path) -> None:
        """Fetch a file of any size. `local` appears only when it is whole."""
        uri = self.uri(path)
        with _errors(uri, "read"), _replacing(local) as unfinished:
            _retrying(
                self.config,
                lambda: _filesystem(uri, self.config).get_file(_bare(uri), str(unfinished)),
            )

    def digest(self, path: str) -> str:
        """The SHA-256 of a file of any size, in hex."""
        return self._read(path, lambda file: hashlib.file_digest(file, "sha256").hexdigest())

    def read_json(self, path: str) -> dict[str, Any]:
        """The object of a JSON file. Raises DamagedError for anything else."""
        try:
            value = json.loads(self.read_bytes(path))
        except (ValueError, RecursionError) as error:
            raise DamagedError(self.root, path, f"not valid JSON ({error})") from None
        if not isinstance(value, dict):
            raise DamagedError(self.root, path, "not a JSON object")
        return value

    def write_json(self, path: str, value: Any) -> None:
        self.write_bytes(
            path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode()
        )

    def read_table(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """The table of a Parquet file, or some `columns`; only these are fetched. Raises DamagedError."""
        if columns is None:
            data = self.read_bytes(path)
            with naming_damage(self.root, path):
                return decode_table(data)
        return self._read(path, lambda file: read_columns(file, columns))

    def read_rows(self, path: str, column: str, values: pa.Array) -> pa.Table:
        """The rows of a Parquet file as `parquet.read_rows` gives them. Raises DamagedError."""
        return self._read(path, lambda file: read_rows(file, column, values))

    def _read(self, path: str, read: Callable[[Any], _T]) -> _T:
        uri = self.uri(path)

        def once() -> _T:
            opened = _filesystem(uri, self.config).open(_bare(uri), "rb")
            with opened as file, naming_damage(self.root, path):
                return read(file)

        with _errors(uri, "read"):
            return _retrying(self.config, once)

    def write_table(self, path: str, table: pa.Table, group_rows: int | None = None) -> None:
        self.write_bytes(path, encode_table(table, group_rows))


def read_uri(uri: str, config: StorageConfig, max_bytes: int | None = None) -> bytes:
    """A file's bytes, at most `max_bytes` + 1: a caller thus detects a file that is longer."""
    uri = normalise_uri(uri)
    with _errors(uri, "read"):
        end = None if max_bytes is None else max_bytes + 1
        if is_local(uri):
            return _retrying(config, lambda: read_regular(local_path(uri), end))
        return _retrying(config, lambda: _read_object(uri, config, end))


@contextmanager
def open_uri(uri: str, config: StorageConfig) -> Iterator[IO[bytes]]:
    """A file of any size, read in parts as they are asked for."""
    uri = normalise_uri(uri)
    with _errors(uri, "read"), _filesystem(uri, config).open(_bare(uri), "rb") as file:
        yield file


def list_uri(uri: str, config: StorageConfig, depth: int | None = None) -> list[FileInfo]:
    """All files below a folder or bucket prefix, down to `depth` levels, sorted by path. Raises
    NotFoundError if the folder is absent."""
    return [info for info in list_entries(uri, config, depth) if info.kind == "file"]


def list_entries(uri: str, config: StorageConfig, depth: int | None = None) -> list[FileInfo]:
    """As `list_uri`, with pipes, broken links and links to folders beside the files."""
    uri = normalise_uri(uri)
    with _errors(uri, "list"):
        filesystem = _filesystem(uri, config)
        bare = _bare(uri)

        def listing() -> dict[str, dict[str, Any]]:
            filesystem.invalidate_cache(bare)
            entries: dict[str, dict[str, Any]] = filesystem.find(bare, maxdepth=depth, detail=True)
            return entries

        entries = _retrying(config, listing)
        if not entries and not _retrying(config, lambda: filesystem.exists(bare)):
            raise FileNotFoundError(bare)
    return sorted(
        (
            _file_info(uri, bare, name, entry)
            for name, entry in entries.items()
            if not _base_name(name).startswith((TEMPORARY, LOCK))
        ),
        key=lambda info: info.path,
    )


def list_leftovers(uri: str, config: StorageConfig) -> list[FileInfo]:
    """Temporary files that killed processes left below a local folder. S3 has no such files."""
    uri = normalise_uri(uri)
    if not is_local(uri):
        return []
    with _errors(uri, "list"):
        bare = _bare(uri)
        entries = _filesystem(uri, config).find(bare, detail=True)
        return [
            _file_info(uri, bare, name, entry)
            for name, entry in entries.items()
            if _base_name(name).startswith(TEMPORARY)
        ]


def make_folder(uri: str, config: StorageConfig) -> None:
    """Make a local folder or a bucket, if it does not exist yet."""
    uri = normalise_uri(uri)
    with _errors(uri, "create"):
        _filesystem(uri, config).makedirs(_bare(uri), exist_ok=True)


def _base_name(name: str) -> str:
    return name.rpartition("/")[2]


def _file_info(uri: str, bare: str, name: str, entry: dict[str, Any]) -> FileInfo:
    # A key may itself begin with a slash, which is part of the key.
    path = name.removeprefix(bare).removeprefix("/") or name.rpartition("/")[2]
    file_uri = uri if name == bare else f"{uri}/{path}"
    kind = "folder marker" if name.endswith("/") else "file"
    if is_local(uri) and (entry["type"] != "file" or entry.get("islink")):
        kind, status = kind_of(name)
        if status is not None:  # a link has its target's, so that a change of the target is seen
            entry = {**entry, "size": status.st_size, "mtime": status.st_mtime}
    tag = entry.get("ETag")
    etag = str(tag).strip('"') if tag else f"{entry['size']}-{entry.get('mtime', 0)}"
    when = entry.get("LastModified") or entry.get("mtime", 0)
    modified = when.timestamp() if isinstance(when, datetime) else float(when)
    return FileInfo(file_uri, path, int(entry["size"] or 0), etag, modified, kind)


def root_of(config: Config) -> Storage:
    return Storage(config.root, config.storage)
