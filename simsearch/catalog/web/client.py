"""Requests to other people's servers, which are untrusted.

Requests are paced per host and repeated if a server is busy. They respect the host's robots.txt, and go
into a private network only if the settings allow that. A request has a deadline, an answer has a largest
size, and a host that does not serve is given up (`hosts`). Each failure has its reason. A redirect is a
request to the host that it names, with that host's pace, robots.txt and failures.
"""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
import tenacity

from simsearch.catalog.web.bodies import ENCODINGS, read_body
from simsearch.catalog.web.connections import guarded_transport, public_addresses
from simsearch.catalog.web.deadline import Deadline
from simsearch.catalog.web.errors import FAILURES, BusyError, RefusedError, reason_of
from simsearch.catalog.web.hosts import Host, known_hosts
from simsearch.catalog.web.robots import AGENT, MAX_BYTES, read_robots
from simsearch.settings.sections.collection import DownloadConfig
from simsearch.settings.version import __version__

MAX_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
CONNECT_SECONDS = 10.0  # a running server accepts a connection in a tenth of that

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A server's answer. `data` is None if the server says that nothing has changed."""

    data: bytes | None
    etag: str | None
    last_modified: str | None


class WebClient:
    """A client for all servers, safe to use from several threads. Close it, or use it as a context."""

    def __init__(self, config: DownloadConfig) -> None:
        self._config = config
        self._hosts = known_hosts(config)
        self._places = threading.BoundedSemaphore(config.concurrency)  # of requests in flight
        contact = f"; {config.contact}" if config.contact else ""
        # A proxy of the environment resolves names itself.
        self._proxied = bool(getproxies().keys() & {"http", "https", "all"})
        self._client = httpx.Client(
            timeout=httpx.Timeout(config.timeout, connect=min(config.timeout, CONNECT_SECONDS)),
            headers={
                "User-Agent": f"{AGENT}/{__version__} (similarity search of artworks{contact})",
                "Accept-Encoding": ENCODINGS,
            },
            transport=None if self._proxied else guarded_transport(config.private_networks),
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
        """The answer to a GET, which is conditional if an ETag or Last-Modified is given.

        Raises RefusedError, or the error of the last of `attempts` tries: BusyError, httpx.HTTPError.
        No address and no answer causes another error.
        """
        try:
            address = _parse(url)
            headers = {}
            if etag:
                headers["If-None-Match"] = etag
            if last_modified:
                headers["If-Modified-Since"] = last_modified
            return self._follow(address, headers, max_bytes, robots=self._config.robots)
        except FAILURES:
            raise
        except Exception as error:  # a stranger's answer may only cost its own row
            raise RefusedError(f"{type(error).__name__}: {error}"[:300], lasting=True) from error

    def _follow(
        self, address: httpx.URL, headers: dict[str, str], max_bytes: int, *, robots: bool
    ) -> Answer:
        """The answer at the end of all redirects. `robots`: each host's robots.txt has to allow its
        request."""
        for _ in range(MAX_REDIRECTS + 1):
            self._check(address)
            host = self._hosts.of(address)
            if robots:
                self._check_robots(address, host)
            request = partial(self._request, address, headers, max_bytes, host)
            answer = self._retrying(request, host)
            if isinstance(answer, Answer):
                return answer
            address = answer
        raise RefusedError(f"leads on to another address {MAX_REDIRECTS + 1} times", lasting=True)

    def _retrying(self, call: Callable[[], T], host: Host) -> T:
        """The result of the first try that succeeds. Failures are noted at `host`."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._config.attempts),
            wait=tenacity.wait_exponential_jitter(multiplier=0.5, max=30),
            retry=tenacity.retry_if_exception_type((BusyError, httpx.TransportError)),
            reraise=True,
        )
        try:
            return retrying(call)
        except (BusyError, httpx.TransportError) as error:
            host.note_unwilling(reason_of(error))
            raise

    def _request(
        self, address: httpx.URL, headers: dict[str, str], max_bytes: int, host: Host
    ) -> Answer | httpx.URL:
        """The host's answer, or the address to which it redirects."""
        with host.turn(self._places):
            began, deadline = time.monotonic(), Deadline(self._config.timeout)
            try:
                with (
                    deadline.holding(),
                    self._client.stream("GET", address, headers=headers) as response,
                ):
                    answer = self._answer(response, headers, max_bytes, host, deadline)
            except (httpx.TimeoutException, httpx.ConnectError) as error:
                host.note_silence(began, reason_of(error))
                raise
            except httpx.TransportError:
                raise  # a cut connection
            except RefusedError:
                host.note_service()
                raise
            host.note_service()
            return answer

    def _answer(
        self,
        response: httpx.Response,
        headers: dict[str, str],
        max_bytes: int,
        host: Host,
        deadline: Deadline,
    ) -> Answer | httpx.URL:
        status = response.status_code
        if response.next_request is not None:
            return response.next_request.url
        if status in RETRIED:
            host.note_answer()
            if (seconds := _retry_after(response)) is not None:
                host.pause(seconds, f"HTTP {status}")
            raise BusyError(f"HTTP {status}")
        if status == 304 and headers:
            return Answer(None, headers.get("If-None-Match"), headers.get("If-Modified-Since"))
        if status != 200:
            lasting = 400 <= status < 500
            raise RefusedError(f"HTTP {status}", lasting=lasting, status=status)
        data = read_body(response, max_bytes, deadline)
        return Answer(data, response.headers.get("ETag"), response.headers.get("Last-Modified"))

    def _check_robots(self, address: httpx.URL, host: Host) -> None:
        """Raise RefusedError if the host's robots.txt does not allow the address."""
        with host.robots_lock:
            rules = host.robots
            if rules is None:
                file = httpx.URL(f"{host.origin}/robots.txt")
                rules = read_robots(
                    lambda: self._follow(file, {}, MAX_BYTES, robots=False).data or b""
                )
                host.follow(rules)
        rules.check(str(address))

    def _check(self, address: httpx.URL) -> None:
        """Raise RefusedError for an address outside the web, or in a private network behind a proxy."""
        if address.scheme not in ("http", "https"):
            raise RefusedError(f"leads to {address.scheme}://", lasting=True)
        if self._proxied and not self._config.private_networks:
            try:
                public_addresses(address.host, address.port or 0)
            except OSError:
                return  # the proxy may know the name


def _parse(url: str) -> httpx.URL:
    """The address in parts. Raises RefusedError."""
    if not url.lower().startswith(("http://", "https://")):
        raise RefusedError("not a web address", lasting=True)
    try:
        address = httpx.URL(url)
        _ = urlsplit(
            url
        ).port  # urllib refuses more than httpx: http://[x/, ports that are no numbers
        str(address).encode()
        address.raw_host.decode("ascii").encode("idna")
    except (
        httpx.InvalidURL,
        ValueError,
        OverflowError,
    ) as error:  # the libraries' words for a broken address
        reason = reason_of(error)
        raise RefusedError(f"not a web address ({reason})"[:300], lasting=True) from None
    if not address.host or address.port == 0:
        raise RefusedError("not a web address (no host)", lasting=True)
    return address


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds that a Retry-After header asks to wait, whether it gives a number or a date."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
        return max(0.0, date.timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return None
