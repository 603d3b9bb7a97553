"""Any fsspec URI as one small type: local folders and S3 behave the same.

A file is either absent or whole: local writes go to a temporary name that is then renamed, S3
objects appear when their upload completes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import aiohttp
import botocore.exceptions
import fsspec
import fsspec.asyn
import pyarrow as pa
import pyarrow.parquet as pq
import tenacity

from simsearch.config import StorageConfig
from simsearch.errors import ConflictError, NotFoundError, StorageError, UsageError

DEFAULT_STORAGE = StorageConfig()
SCHEMES = ("file", "s3")
TEMPORARY = ".partial-"
LOCK = ".lock-"

_T = TypeVar("_T")

# Codes that another try will not change.
_REFUSED = {
    "AccessDenied": "access denied; check the credentials' permissions",
    "InvalidAccessKeyId": "the store does not know this access key; check AWS_ACCESS_KEY_ID or AWS_PROFILE",
    "SignatureDoesNotMatch": "wrong secret key; check AWS_SECRET_ACCESS_KEY or AWS_PROFILE",
    "ExpiredToken": "the session token has expired; renew the credentials",
    "NoSuchBucket": "no such bucket; create it or correct the URI",
    "QuotaExceeded": "the store's quota is used up; raise it or free some space, then run the same command again",
    "403": "access denied; check the credentials and their permissions",
}
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_FATAL_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
}
_STORE_ERRORS = (
    OSError,
    aiohttp.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
)


@dataclass(frozen=True)
class FileInfo:
    """One stored file: `uri` whole, `path` below the listed folder, `size` in bytes, `modified` in
    seconds since 1970."""

    uri: str
    path: str
    size: int
    etag: str
    modified: float


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
        """Store a whole file at once; a reader sees the old one or this one."""
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
        """All files below a folder, sorted by path; an absent folder is an empty one."""
        try:
            return list_uri(self.uri(path), self.config)
        except NotFoundError:
            return []

    def delete(self, path: str) -> None:
        """Remove a file; one that is already gone is no error."""
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

        Returns the new version. Raises ConflictError if somebody else was there first. On local
        disk under a file lock, on S3 by a conditional put; a store without those just writes.
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
        """Fetch a file of any size; `local` appears only when it is whole."""
        uri = self.uri(path)
        with _errors(uri, "read"), _replacing(local) as unfinished:
            _retrying(
                self.config,
                lambda: _filesystem(uri, self.config).get_file(_bare(uri), str(unfinished)),
            )

    def digest(self, path: str) -> str:
        """The SHA-256 of a file of any size, in hex."""
        uri = self.uri(path)
        with _errors(uri, "read"):
            return _retrying(self.config, lambda: self._digest(uri))

    def _digest(self, uri: str) -> str:
        digest = hashlib.sha256()
        with _filesystem(uri, self.config).open(_bare(uri), "rb") as file:
            while chunk := file.read(2**22):
                digest.update(chunk)
        return digest.hexdigest()

    def read_json(self, path: str) -> Any:
        try:
            return json.loads(self.read_bytes(path))
        except ValueError as error:
            raise StorageError(
                f"{self.uri(path)}: not valid JSON ({error}); remove it and run again"
            ) from None

    def write_json(self, path: str, value: Any) -> None:
        self.write_bytes(
            path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode()
        )

    def read_table(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """A Parquet file, or only some columns of it, in which case only those are fetched."""
        uri = self.uri(path)
        try:
            if columns is None:
                return pq.read_table(pa.BufferReader(self.read_bytes(path)))
            with _errors(uri, "read"):
                return _retrying(self.config, lambda: self._read_columns(uri, columns))
        except pa.ArrowInvalid as error:
            raise StorageError(
                f"{uri}: not a readable Parquet file ({error}); remove it and run again"
            ) from None

    def _read_columns(self, uri: str, columns: list[str]) -> pa.Table:
        with _filesystem(uri, self.config).open(_bare(uri), "rb") as file:
            return pq.read_table(file, columns=columns)

    def write_table(self, path: str, table: pa.Table) -> None:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        self.write_bytes(path, buffer.getvalue())


def read_uri(uri: str, config: StorageConfig, max_bytes: int | None = None) -> bytes:
    """A file's bytes, at most `max_bytes` + 1 of them (so that a caller can tell it was longer)."""
    uri = normalise_uri(uri)
    with _errors(uri, "read"):
        filesystem = _filesystem(uri, config)
        data: bytes = _retrying(
            config,
            lambda: filesystem.cat_file(
                _bare(uri), end=None if max_bytes is None else max_bytes + 1
            ),
        )
        return data


def list_uri(uri: str, config: StorageConfig) -> list[FileInfo]:
    """All files below a folder or bucket prefix, sorted by path. Raises NotFoundError if it is absent."""
    uri = normalise_uri(uri)
    with _errors(uri, "list"):
        filesystem = _filesystem(uri, config)
        bare = _bare(uri)

        def listing() -> dict[str, dict[str, Any]]:
            filesystem.invalidate_cache(bare)
            found: dict[str, dict[str, Any]] = filesystem.find(bare, detail=True)
            return found

        found = _retrying(config, listing)
        if not found and not _retrying(config, lambda: filesystem.exists(bare)):
            raise FileNotFoundError(bare)
    return sorted(
        (
            _file_info(uri, bare, name, entry)
            for name, entry in found.items()
            if not _base_name(name).startswith((TEMPORARY, LOCK))
        ),
        key=lambda info: info.path,
    )


def list_leftovers(uri: str, config: StorageConfig) -> list[FileInfo]:
    """Temporary files that killed processes left below a local folder; S3 has none."""
    uri = normalise_uri(uri)
    if not is_local(uri):
        return []
    with _errors(uri, "list"):
        bare = _bare(uri)
        found = _filesystem(uri, config).find(bare, detail=True)
        return [
            _file_info(uri, bare, name, entry)
            for name, entry in found.items()
            if _base_name(name).startswith(TEMPORARY)
        ]


def make_folder(uri: str, config: StorageConfig) -> None:
    """Make a local folder or a bucket; one that is there already is no error."""
    uri = normalise_uri(uri)
    with _errors(uri, "create"):
        _filesystem(uri, config).makedirs(_bare(uri), exist_ok=True)


def normalise_uri(uri: str) -> str:
    """An absolute URI without a trailing slash; a path becomes a `file://` URI. Raises UsageError."""
    scheme = urlsplit(uri).scheme
    if scheme in ("", "file") or len(scheme) == 1:  # one letter: a Windows drive
        path = uri.removeprefix("file://")
        return "file://" + os.path.abspath(Path(path).expanduser())  # noqa: PTH100  (resolves "..", keeps links)
    if scheme not in SCHEMES:
        raise UsageError(
            f"{uri}: no storage for {scheme}://; use a local path, file:// or s3://bucket/prefix"
        )
    if not urlsplit(uri).netloc:
        raise UsageError(f"{uri}: an S3 URI names its bucket: s3://bucket/prefix")
    return uri.rstrip("/")


def join_uri(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}" if path else base


def is_local(uri: str) -> bool:
    return uri.startswith("file://")


def local_path(uri: str) -> str:
    return uri.removeprefix("file://")


def _bare(uri: str) -> str:
    """The path as fsspec's file systems list it. Unlike their own parsing, nothing after a '?' is cut."""
    return local_path(uri) if is_local(uri) else uri.removeprefix("s3://")


def _filesystem(uri: str, config: StorageConfig) -> Any:
    """fsspec caches instances by arguments and process, so this is cheap to call each time."""
    if is_local(uri):
        return fsspec.filesystem("file", auto_mkdir=True)
    client = {"endpoint_url": config.endpoint_url, "region_name": config.region}
    return fsspec.filesystem(
        "s3",
        use_listings_cache=False,
        client_kwargs={key: value for key, value in client.items() if value},
        config_kwargs={
            "connect_timeout": 10,
            "read_timeout": config.timeout,
            "retries": {"max_attempts": 1},
        },
    )


def _retrying(config: StorageConfig, call: Callable[[], _T]) -> _T:
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(config.attempts),
        wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=20),
        retry=tenacity.retry_if_exception(_worth_another_try),
        reraise=True,
    )(call)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(
        error,
        FileNotFoundError
        | PermissionError
        | FileExistsError
        | botocore.exceptions.NoCredentialsError,
    ):
        return False
    if isinstance(error, OSError) and error.errno in _FATAL_ERRNOS:
        return False
    if isinstance(error, botocore.exceptions.ClientError) or isinstance(
        error.__cause__, botocore.exceptions.ClientError
    ):
        return _error_code(error) not in _REFUSED
    return isinstance(error, _STORE_ERRORS)


def _error_code(error: BaseException) -> str:
    cause = error if isinstance(error, botocore.exceptions.ClientError) else error.__cause__
    return (
        str(cause.response["Error"]["Code"])
        if isinstance(cause, botocore.exceptions.ClientError)
        else ""
    )


@contextmanager
def _errors(uri: str, action: str) -> Iterator[None]:
    """What a file system raised, as one line that names the URI."""
    try:
        yield
    except _STORE_ERRORS as error:
        _raise_plainly(error, uri, action)


def _raise_plainly(error: BaseException, uri: str, action: str) -> NoReturn:
    if refusal := _REFUSED.get(_error_code(error)):
        raise StorageError(f"{uri}: cannot {action}: {refusal}") from error
    if isinstance(error, FileNotFoundError):
        raise NotFoundError(
            f"{uri}: nothing there; check the path and that the bucket or folder exists"
        ) from error
    if isinstance(error, botocore.exceptions.NoCredentialsError):
        raise StorageError(
            f"{uri}: cannot {action}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from error
    if isinstance(error, PermissionError):
        raise StorageError(
            f"{uri}: cannot {action}: permission denied; check its owner and mode"
        ) from error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise StorageError(
            f"{uri}: cannot {action}: the disk is full; free some space and run the same command again"
        ) from error
    if isinstance(error, OSError) and error.errno in (errno.ENOTDIR, errno.EEXIST):
        raise StorageError(
            f"{uri}: cannot {action}: a file is where a folder should be; remove it or choose another place"
        ) from error
    detail = " ".join(str(error).split()) or type(error).__name__
    raise StorageError(
        f"{uri}: cannot {action}: {detail}; check the store and run the same command again"
    ) from error


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` that takes its name when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{target.name}")
    try:
        yield unfinished
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _replace_local(target: Path, data: bytes, expected: str | None) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{LOCK}{target.name}").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = hashlib.sha256(target.read_bytes()).hexdigest() if target.exists() else None
        if found != expected:
            raise ConflictError(f"{target}: changed by another process meanwhile")
        with _replacing(target) as unfinished:
            unfinished.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _get_object(uri: str, config: StorageConfig) -> tuple[bytes, str]:
    filesystem = _filesystem(uri, config)
    bucket, _, key = _bare(uri).partition("/")

    async def fetch() -> tuple[bytes, str]:
        answer = await filesystem._call_s3("get_object", Bucket=bucket, Key=key)
        async with answer["Body"] as body:
            return await body.read(), str(answer["ETag"])

    data, etag = fsspec.asyn.sync(filesystem.loop, fetch)
    return data, etag


def _put_object(uri: str, config: StorageConfig, data: bytes, expected: str | None) -> str:
    filesystem = _filesystem(uri, config)
    bucket, _, key = _bare(uri).partition("/")
    put = partial(filesystem.call_s3, "put_object", Bucket=bucket, Key=key, Body=data)
    if expected is None:
        conditions = [{"IfNoneMatch": "*"}]
    else:
        # Amazon's server takes the ETag in quotes, Ceph's (16) only without.
        conditions = [{"IfMatch": expected}, {"IfMatch": expected.strip('"')}]
    for condition in conditions:
        try:
            return str(put(**condition)["ETag"])
        except (OSError, botocore.exceptions.ClientError) as error:
            if _error_code(error) == "NotImplemented":  # `simsearch.lease` finds out and says so
                return str(put()["ETag"])
            if _error_code(error) not in _CONFLICTS:
                raise
    try:
        found, version = _get_object(uri, config)
    except FileNotFoundError:
        found, version = b"", ""
    if found == data:  # an earlier try of this put had got through
        return version
    raise ConflictError(f"{uri}: changed by another process meanwhile")


def _base_name(name: str) -> str:
    return name.rpartition("/")[2]


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(2**22):
            writer.write(chunk)


def _file_info(uri: str, bare: str, name: str, entry: dict[str, Any]) -> FileInfo:
    path = name.removeprefix(bare).lstrip("/") or name.rpartition("/")[2]
    whole = uri if name == bare else f"{uri}/{path}"
    tag = entry.get("ETag")
    etag = str(tag).strip('"') if tag else f"{entry['size']}-{entry.get('mtime', 0)}"
    when = entry.get("LastModified") or entry.get("mtime", 0)
    modified = when.timestamp() if isinstance(when, datetime) else float(when)
    return FileInfo(whole, path, int(entry["size"] or 0), etag, modified)
