"""URIs of local files and of S3 objects: one spelling for each place."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from simsearch.errors import UsageError

SCHEMES = ("file", "s3")
ROOT_MARKER = "simsearch.json"  # the file at the top of each root
LITTER = re.compile(
    r"(?:^|/)(?:\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini|\.directory)$", re.IGNORECASE
)


def normalise_uri(uri: str) -> str:
    """An absolute URI without a trailing slash; a path becomes a `file://` URI. Raises UsageError."""
    try:
        possible = b"\0" not in os.fsencode(uri)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise UsageError(f"{uri[:200]!a}: no file can have this name; correct it")
    try:
        scheme = urlsplit(uri).scheme
    except ValueError as error:
        raise UsageError(f"{uri[:200]}: not an address ({error})") from None
    if scheme in ("", "file") or len(scheme) == 1:  # one letter: a Windows drive
        path = uri.removeprefix("file://")
        try:
            path = os.fspath(Path(path).expanduser())
        except RuntimeError:
            raise UsageError(f"{uri[:200]}: no such user; write the whole path") from None
        return "file://" + os.path.abspath(path)  # noqa: PTH100  (resolves "..", keeps links)
    if scheme not in SCHEMES:
        raise UsageError(
            f"{uri}: no storage for {scheme}://; use a local path, file:// or s3://bucket/prefix"
        )
    if not urlsplit(uri).netloc:
        raise UsageError(f"{uri}: an S3 URI names its bucket: s3://bucket/prefix")
    return uri.rstrip("/")


def join_uri(base: str, path: str) -> str:
    return f"{base.removesuffix('/')}/{path}" if path else base


def is_litter(path: str) -> bool:
    """Whether a file is one that file managers leave in the folders they open."""
    return LITTER.search(path) is not None


def is_local(uri: str) -> bool:
    return uri.startswith("file://")


def local_path(uri: str) -> str:
    return uri.removeprefix("file://")


def _bare(uri: str) -> str:
    """A URI without its scheme, as fsspec's file systems write paths. fsspec's own function would cut a
    name at a '?'."""
    return local_path(uri) if is_local(uri) else uri.removeprefix("s3://")
