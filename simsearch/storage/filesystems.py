"""fsspec's file systems, and what they lack: atomic local writes and compare-and-swap."""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import botocore.exceptions
import fsspec
import fsspec.asyn

from simsearch.errors import ConflictError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.failures import _CONFLICTS, _error_code
from simsearch.storage.key_sources import take_up_changed_keys
from simsearch.storage.uris import _bare, is_local

TEMPORARY = ".partial-"

LOCK = ".lock-"


def _filesystem(uri: str, config: StorageConfig) -> Any:
    """The file system that a URI belongs to. A call for each request costs little, as fsspec keeps its
    instances by arguments and process."""
    if is_local(uri):
        return fsspec.filesystem("file", auto_mkdir=True)
    take_up_changed_keys()
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
        digest = hashlib.sha256(target.read_bytes()).hexdigest() if target.exists() else None
        if digest != expected:
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
            if (
                _error_code(error) == "NotImplemented"
            ):  # `simsearch.runs.operations.lease` detects and reports such a store
                return str(put()["ETag"])
            if _error_code(error) not in _CONFLICTS:
                raise
    try:
        held, version = _get_object(uri, config)
    except FileNotFoundError:
        held, version = b"", ""
    if held == data:  # an earlier try of this put had got through
        return version
    raise ConflictError(f"{uri}: changed by another process meanwhile")


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(2**22):
            writer.write(chunk)
