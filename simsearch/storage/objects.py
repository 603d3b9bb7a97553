"""S3 objects by their exact keys. fsspec's own functions would split a key at `?versionId=`."""

from __future__ import annotations

from typing import Any

import fsspec.asyn

from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.failures import NO_SUCH_RANGE, _error_code, _errors, _retrying
from simsearch.storage.filesystems import _filesystem
from simsearch.storage.uris import _bare, is_local

VERSION = "?versionId="


def version_etag(uri: str, config: StorageConfig) -> str | None:
    """The ETag of the version that an address `s3://bucket/key?versionId=…` names. None if the address
    names no version, or one that does not exist."""
    if is_local(uri) or VERSION not in uri:
        return None
    filesystem = _filesystem(uri, config)
    bucket, name, version = _version(uri)
    with _errors(uri, "look up"):
        try:
            answer = _retrying(
                config,
                lambda: filesystem.call_s3(
                    "head_object", Bucket=bucket, Key=name, VersionId=version
                ),
            )
        except OSError as error:
            # Ceph answers "invalid argument" to a version that has not the form of its own.
            if isinstance(error, FileNotFoundError) or _error_code(error) in ("400", "404"):
                return None
            raise
    return str(answer["ETag"]).strip('"')


def _read_object(uri: str, config: StorageConfig, end: int | None) -> bytes:
    """The bytes of the object with this key, else of the version that the address names."""
    bucket, _, key = _bare(uri).partition("/")
    try:
        return _body(uri, config, end, Bucket=bucket, Key=key)
    except FileNotFoundError:
        if VERSION not in key:
            raise
    bucket, name, version = _version(uri)
    return _body(uri, config, end, Bucket=bucket, Key=name, VersionId=version)


def _body(uri: str, config: StorageConfig, end: int | None, **named: str) -> bytes:
    filesystem = _filesystem(uri, config)
    wanted = named if end is None else {**named, "Range": f"bytes=0-{end - 1}"}

    async def fetch() -> bytes:
        answer: Any = await filesystem._call_s3("get_object", **wanted)
        async with answer["Body"] as body:
            data: bytes = await body.read()
        return data

    try:
        fetched: bytes = fsspec.asyn.sync(filesystem.loop, fetch)
    except OSError as error:
        if end is None or _error_code(error) not in NO_SUCH_RANGE:
            raise
        return b""  # an empty object has no first byte to ask for
    return fetched


def _version(uri: str) -> tuple[str, str, str]:
    bucket, _, key = _bare(uri).partition("/")
    name, _, version = key.partition(VERSION)
    return bucket, name, version
