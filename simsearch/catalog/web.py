"""Requests to other people's servers, which are untrusted.

They are paced per host, repeated where a server is busy, kept within its robots.txt, and never sent
into a private network unless that is allowed."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
import protego
import tenacity

from simsearch.catalog.public_addresses import is_public
from simsearch.settings.sections.collection import DownloadConfig
from simsearch.settings.version import __version__

AGENT = "simsearch"
MAX_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 300.0  # seconds; a host that asks for more is left alone for the rest of the run
MAX_ROBOTS = 512 * 1024  # bytes; RFC 9309 asks for 500 KiB at least


class RefusedError(Exception):
    """A request that failed and need not be repeated in this run; `lasting`: nor in a later one.
    `status` is that of the answer, None where none came."""

    def __init__(self, reason: str, *, lasting: bool = False, status: int | None = None) -> None:
        super().__init__(reason)
        self.lasting, self.status = lasting, status


class BusyError(Exception):
    """A request that failed because the server is busy, and may be repeated."""


def reason_of(error: Exception) -> str:
    """Why a request failed, in one line."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time (catalog.download.timeout)"
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True)
class Answer:
    """What a server sent: `data` is None where it said that nothing has changed."""

    data: bytes | None
    etag: str | None
    last_modified: str | None


class WebClient:
    """Safe to use from several threads; close it, or use it as a context."""

    def __init__(self, config: DownloadConfig) -> None:
        self._config = config
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        contact = f"; {config.contact}" if config.contact else ""
        # A proxy of the environment resolves names itself; without one, names are resolved once,
        # here, and the address that was checked is the one connected to.
        transport = None if getproxies().keys() & {"http", "https", "all"} else _Pinned(config)
        self._client = httpx.Client(
            timeout=config.timeout,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            headers={
                "User-Agent": f"{AGENT}/{__version__} (similarity search of artworks{contact})"
            },
            transport=transport,
            event_hooks={"request": [self._allowed]},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(
        self, url: str, max_bytes: int, etag: str | None = None, last_modified: str | None = None
    ) -> Answer:
        """A GET, conditional where an earlier answer's ETag or Last-Modified is given.

        Raises RefusedError, or what made the last of `attempts` tries fail: BusyError, httpx.HTTPError.
        """
        if not url.lower().startswith(("http://", "https://")):
            raise RefusedError("not a web address", lasting=True)
        try:
            return self._get(url, max_bytes, etag, last_modified)
        except (httpx.InvalidURL, ValueError, OverflowError) as error:  # what libraries say of one
            raise RefusedError(f"not a web address ({error})", lasting=True) from None

    def _get(self, url: str, max_bytes: int, etag: str | None, last_modified: str | None) -> Answer:
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        host = self._host(url)
        self._follow_robots(url, host)
        return self._retrying(self._request, url, headers, max_bytes, host)

    def _retrying(self, *call: object) -> Answer:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._config.attempts),
            wait=tenacity.wait_exponential_jitter(multiplier=0.5, max=30),
            retry=tenacity.retry_if_exception_type((BusyError, httpx.TransportError)),
            reraise=True,
        )
        answer: Answer = retrying(*call)  # type: ignore[arg-type]
        return answer

    def _request(self, url: str, headers: dict[str, str], max_bytes: int, host: _Host) -> Answer:
        host.wait()
        with self._client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if status in RETRIED:
                host.hold(_retry_after(response), status)
                raise BusyError(f"HTTP {status}")
            if status == 304 and headers:
                return Answer(None, headers.get("If-None-Match"), headers.get("If-Modified-Since"))
            if status != 200:
                lasting = 400 <= status < 500
                raise RefusedError(f"HTTP {status}", lasting=lasting, status=status)
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > max_bytes:
                    raise RefusedError(f"more than {max_bytes:,} bytes", lasting=True)
            return Answer(
                bytes(data), response.headers.get("ETag"), response.headers.get("Last-Modified")
            )

    def _host(self, url: str) -> _Host:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        with self._lock:
            if origin not in self._hosts:
                self._hosts[origin] = _Host(origin, self._config.per_second)
            return self._hosts[origin]

    def _follow_robots(self, url: str, host: _Host) -> None:
        if not self._config.robots:
            return
        with host.lock:
            if host.rules is None:
                host.rules = self._robots(host)
        if not host.rules.can_fetch(url, AGENT):
            raise RefusedError(
                "its robots.txt forbids it; catalog.download.robots=false asks all the same",
                lasting=True,
            )

    def _robots(self, host: _Host) -> protego.Protego:
        try:
            answer = self._retrying(
                self._request, f"{host.origin}/robots.txt", {}, MAX_ROBOTS, host
            )
        except BusyError as error:
            raise BusyError(f"{error} for its robots.txt") from None
        except RefusedError as error:
            if error.status is None or error.status >= 500:
                raise
            return protego.Protego.parse("")  # none there: everything is allowed
        rules = protego.Protego.parse((answer.data or b"").decode("utf-8", "replace"))
        host.slow_down(float(rules.crawl_delay(AGENT) or 0.0))
        return rules

    def _allowed(self, request: httpx.Request) -> None:
        """Check a request before it is sent, one that a redirect leads to included. Raises
        RefusedError."""
        if request.url.scheme not in ("http", "https"):
            raise RefusedError(f"leads to {request.url.scheme}://", lasting=True)
        if not self._config.private_networks:
            public_addresses(request.url.host, request.url.port or 0, lenient=True)


class _Host:
    """One server: when the next request may start, and its robots.txt."""

    def __init__(self, origin: str, per_second: float) -> None:
        self.origin = origin
        self.lock = threading.Lock()
        self.rules: protego.Protego | None = None
        self._pace = threading.Lock()
        self._gap = 1 / per_second
        self._next = time.monotonic()
        self._closed: tuple[int, float] | None = None  # the status and the seconds asked for

    def wait(self) -> None:
        """Sleep until the next request may start; they start evenly spaced."""
        with self._pace:
            if self._closed is not None:
                status, seconds = self._closed
                raise RefusedError(
                    f"HTTP {status}: asks to be left alone for {seconds:,.0f} s; run again then"
                )
            start = max(self._next, time.monotonic())
            self._next = start + self._gap
        time.sleep(max(0.0, start - time.monotonic()))

    def hold(self, seconds: float | None, status: int) -> None:
        """The server asked for a pause: all requests to it wait, or are given up where it is long."""
        with self._pace:
            if seconds is not None and seconds > LONGEST_WAIT:
                self._closed = status, seconds
            self._next = max(self._next, time.monotonic() + (seconds or 0.0))

    def slow_down(self, gap: float) -> None:
        with self._pace:
            self._gap = max(self._gap, gap)


class _Pinned(httpx.BaseTransport):
    """Connects to an address that was checked, so that a name that resolves to another one a moment
    later leads nowhere else. A connection pool per host name, as TLS is for a name."""

    def __init__(self, config: DownloadConfig) -> None:
        self._private = config.private_networks
        self._context = httpx.create_ssl_context()
        self._pools: dict[str, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        with self._lock:
            pool = self._pools.get(host)
            if pool is None:
                # Certificates are read once, which takes 50 ms of processor time.
                pool = self._pools[host] = httpx.HTTPTransport(verify=self._context)
        if self._private:
            return pool.handle_request(request)
        addresses = public_addresses(host, request.url.port or 0)
        request.extensions = {**request.extensions, "sni_hostname": host}
        url = request.url
        for number, address in enumerate(addresses, start=1):
            try:
                request.url = url.copy_with(host=address)
                return pool.handle_request(request)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
            finally:
                request.url = url
        raise httpx.ConnectError(f"{host} has no address", request=request)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def public_addresses(host: str, port: int, *, lenient: bool = False) -> list[str]:
    """What a host name resolves to. Raises RefusedError where an address is not public, and where
    there is none, unless `lenient` (a proxy may know it)."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if lenient:
            return []
        raise RefusedError(f"{host} cannot be resolved ({error})") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for address in addresses:
        if not is_public(address):
            raise RefusedError(
                f"{host} is {address}, in a private network; catalog.download.private_networks=true allows it",
                lasting=True,
            )
    return addresses


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds that a Retry-After header asks to wait, whether it gives a number or a date."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdecimal():
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
