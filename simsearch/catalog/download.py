"""Images that the catalog names by web address, fetched into the store. Servers are untrusted.

What arrives is told by its first bytes, not by its name or Content-Type. An image that is stored
already is not fetched again; one that cannot be fetched keeps its address, and extraction rejects it.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow as pa
import tenacity

from simsearch import schemas
from simsearch.config import DownloadConfig
from simsearch.runtime.progress import progress
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

FOLDER = "images/downloaded"
MAX_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 60.0  # seconds; a server that asks for more is tried again after this

_SIGNATURES = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"BM", "bmp"),
)


class _RefusedError(Exception):
    """Not worth another try."""


class _BusyError(Exception):
    """Worth another try, after `wait` seconds if the server named a time."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def download_images(table: pa.Table, storage: Storage, config: DownloadConfig) -> pa.Table:
    """The catalog with each http(s) image_uri that could be fetched replaced by its place in the store."""
    stored = {info.path.rpartition(".")[0]: info for info in storage.files(FOLDER)}
    rows = table.to_pylist()
    todo = [row for row in rows if _is_web(row["image_uri"]) and _name(row) not in stored]
    failed: dict[str, str] = {}
    if todo:
        failed = _download_all(todo, storage, config)
        stored = {info.path.rpartition(".")[0]: info for info in storage.files(FOLDER)}
    for row in rows:
        if _is_web(row["image_uri"]) and (info := stored.get(_name(row))):
            row["image_uri"], row["etag"] = storage.uri(f"{FOLDER}/{info.path}"), info.etag
    reasons = "; ".join(f"{uri}: {reason}" for uri, reason in list(failed.items())[:3])
    if failed:
        log.warning("download: %d of %d images failed (%s)", len(failed), len(todo), reasons)
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def sniff(data: bytes) -> str | None:
    """The file extension that an image's first bytes call for, or None for no image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((extension for start, extension in _SIGNATURES if data.startswith(start)), None)


def _download_all(
    todo: list[dict[str, str]], storage: Storage, config: DownloadConfig
) -> dict[str, str]:
    pace = _Pace(config.per_second)
    failed: dict[str, str] = {}
    client = httpx.Client(
        timeout=config.timeout,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"User-Agent": "simsearch"},
    )

    def one(row: dict[str, str]) -> None:
        try:
            data = _fetch(client, row["image_uri"], config, pace)
            extension = sniff(data)
            if extension is None:
                raise _RefusedError("what came is no image")
            storage.write_bytes(f"{FOLDER}/{_name(row)}.{extension}", data)
        except (_RefusedError, _BusyError, httpx.HTTPError, httpx.InvalidURL) as error:
            failed[row["image_uri"]] = " ".join(str(error).split()) or type(error).__name__

    with (
        client,
        ThreadPoolExecutor(config.concurrency) as pool,
        progress("download", len(todo), "images", 10) as advance,
    ):
        for done, _ in enumerate(pool.map(one, todo), start=1):
            advance(done)
    return failed


def _fetch(client: httpx.Client, url: str, config: DownloadConfig, pace: _Pace) -> bytes:
    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _BusyError) else None
        backoff = tenacity.wait_exponential_jitter(multiplier=0.5, max=30)(state)
        return min(LONGEST_WAIT, max(asked or 0.0, backoff))

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(config.attempts),
        wait=wait,
        retry=tenacity.retry_if_exception_type((_BusyError, httpx.TransportError)),
        reraise=True,
    )
    return retrying(_request, client, url, config.max_bytes, pace)


def _request(client: httpx.Client, url: str, max_bytes: int, pace: _Pace) -> bytes:
    pace.wait()
    with client.stream("GET", url) as response:
        if response.status_code in RETRIED:
            raise _BusyError(f"HTTP {response.status_code}", _retry_after(response))
        if response.status_code != 200:
            raise _RefusedError(f"HTTP {response.status_code}")
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > max_bytes:
                raise _RefusedError(f"more than catalog.download.max_bytes {max_bytes:,}")
        return bytes(data)


def _retry_after(response: httpx.Response) -> float | None:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else None


class _Pace:
    """Lets callers start at most `per_second` requests a second, evenly spaced."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + self._gap
        time.sleep(max(0.0, start - time.monotonic()))


def _is_web(uri: str | None) -> bool:
    return uri is not None and uri.startswith(("http://", "https://"))


def _name(row: dict[str, str]) -> str:
    """A file name that is safe on any store, and another one when the address changes."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", row["artwork_id"])[:60].strip("-")
    digest = hashlib.sha256(f"{row['artwork_id']}\n{row['image_uri']}".encode()).hexdigest()[:12]
    return f"{readable}-{digest}"
