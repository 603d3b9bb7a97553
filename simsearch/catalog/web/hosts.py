"""A server's state during a run: its pace, the pauses that it asks for, its failures.

A server is given up for the rest of a run in three cases:

- It asks for a pause of more than LONGEST_PAUSE, at once or piece by piece.
- It gave no answer for twice `catalog.download.timeout`, over as many tries as an address has.
- It was busy (429, 5xx, cut connections) for UNWILLING addresses in a row, with all tries of each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

from simsearch.catalog.web.errors import RefusedError
from simsearch.catalog.web.robots import Robots
from simsearch.settings.sections.collection import DownloadConfig

log = logging.getLogger(__name__)

LONGEST_PAUSE = 300.0  # seconds
UNWILLING = 25  # addresses in a row; a server of which every tenth fails reaches that once in 10^24 addresses
SHORT = 0.2  # seconds that a place among the requests in flight is held before a request starts
LOGGED = 2.0  # seconds; a shorter wait is the usual pace
LOG_AGAIN = 60.0  # seconds between two lines about waits for one server


class Host:
    """A server. Safe to use from several threads."""

    def __init__(self, origin: str, config: DownloadConfig) -> None:
        self.origin = origin
        self.robots: Robots | None = None
        self.robots_lock = threading.Lock()
        self._config = config
        self._lock = threading.Lock()
        self._first = threading.Lock()  # a server that never answered gets one request at a time
        self._answered = False
        self._gap, self._gap_reason = 1 / config.per_second, "catalog.download.per_second"
        self._next = time.monotonic()
        self._pause: tuple[float, float, str] | None = None  # its start, its end, and the reason
        self._given_up: str | None = None  # the reason
        self._silence: tuple[float, int] | None = None  # the first try without an answer, all tries
        self._unwilling = 0
        self._logged = float("-inf")

    @contextmanager
    def turn(self, places: threading.BoundedSemaphore) -> Iterator[None]:
        """Wait until a request may start, and send it within the block, in one of the `places`.

        Requests start evenly spaced. A long wait occupies no place. Raises RefusedError if the server is
        given up.
        """
        if not self._answered:
            with self._first:
                if not self._answered:
                    with self._place(places):
                        yield
                    return
        with self._place(places):
            yield

    @contextmanager
    def _place(self, places: threading.BoundedSemaphore) -> Iterator[None]:
        while True:
            while (left := self._next - time.monotonic()) > SHORT:
                self._check_and_log(left)
                time.sleep(min(left, 1.0))  # notices soon if another thread gives up the server
            with places:
                self._check_and_log(0.0)
                left = self._reserve()
                if left <= SHORT:
                    time.sleep(left)
                    yield
                    return

    def _reserve(self) -> float:
        """Take the next turn if it is near. Returns the seconds until the turn."""
        with self._lock:
            now = time.monotonic()
            start = max(self._next, now)
            if start - now <= SHORT:
                self._next = start + self._gap
            return start - now

    def check(self) -> None:
        """Raise RefusedError if the server is given up."""
        self._check_and_log(0.0)

    def _check_and_log(self, seconds: float) -> None:
        with self._lock:
            if self._given_up is not None:
                raise RefusedError(self._given_up)
            now = time.monotonic()
            if seconds >= LOGGED and now - self._logged >= LOG_AGAIN:
                self._logged = now
                paused = self._pause is not None and self._pause[1] > now
                reason = self._pause[2] if self._pause and paused else self._gap_reason
                log.info("download: %s: waits %s s (%s)", self.origin, f"{seconds:,.0f}", reason)

    def follow(self, robots: Robots) -> None:
        with self._lock:
            self.robots = robots
            if robots.gap > self._gap:
                self._gap, self._gap_reason = robots.gap, "Crawl-delay of its robots.txt"

    def note_answer(self) -> None:
        """Note that the server answered, with whatever status."""
        with self._lock:
            self._answered, self._silence = True, None

    def note_service(self) -> None:
        """Note that the server answered as a healthy server does."""
        with self._lock:
            self._answered, self._silence, self._unwilling = True, None, 0
            self._pause = None

    def note_silence(self, began: float, reason: str) -> None:
        """Note that a try which `began` at that time had no answer."""
        with self._lock:
            since, tries = self._silence or (began, 0)
            self._silence = since, tries + 1
            seconds = time.monotonic() - since
            if tries + 1 >= self._config.attempts and seconds >= 2 * self._config.timeout:
                self._give_up(f"it gave no answer for {seconds:.0f} s ({reason})")

    def note_unwilling(self, reason: str) -> None:
        """Note that the server was busy at all tries of an address."""
        with self._lock:
            self._unwilling += 1
            if self._unwilling >= UNWILLING:
                self._give_up(f"it failed for {UNWILLING} addresses in a row ({reason})")

    def pause(self, seconds: float, reason: str) -> None:
        """Let all requests to the server wait, as it asked for a pause. Raises RefusedError if the pause
        is so long that the server is given up."""
        with self._lock:
            now = time.monotonic()
            since = self._pause[0] if self._pause else now
            together = now - since + seconds
            if together > LONGEST_PAUSE:
                long = "more than a year" if seconds > 366 * 86_400 else f"{together:,.0f} s"
                self._give_up(f"{reason}: asks to be left alone for {long}")
                raise RefusedError(self._given_up or reason)
            self._next = max(self._next, now + seconds)
            self._pause = since, now + seconds, f"Retry-After, {reason}"

    def _give_up(self, reason: str) -> None:
        if self._given_up is None:
            self._given_up = f"{reason}; not asked again in this run; run again later"
            log.warning("download: %s: %s", self.origin, self._given_up)


class Hosts:
    """The servers that were asked so far. Safe to use from several threads."""

    def __init__(self, config: DownloadConfig) -> None:
        self.config = config
        self._by_origin: dict[str, Host] = {}
        self._lock = threading.Lock()

    def of(self, address: httpx.URL) -> Host:
        origin = f"{address.scheme}://{address.netloc.decode('ascii')}"
        with self._lock:
            if origin not in self._by_origin:
                self._by_origin[origin] = Host(origin, self.config)
            return self._by_origin[origin]


_shared: ContextVar[list[Hosts] | None] = ContextVar("hosts", default=None)


@contextmanager
def sharing_hosts() -> Iterator[None]:
    """Let the clients that the calling thread makes within the block share the state of servers."""
    token = _shared.set([])
    try:
        yield
    finally:
        _shared.reset(token)


def known_hosts(config: DownloadConfig) -> Hosts:
    """The servers for a new client: the shared ones if their settings are the same, else none yet."""
    shared = _shared.get()
    hosts = next((hosts for hosts in shared or () if hosts.config == config), None)
    if hosts is None:
        hosts = Hosts(config)
        if shared is not None:
            shared.append(hosts)
    return hosts
