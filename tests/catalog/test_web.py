"""Requests to other people's servers: paced, patient, and never into private networks unasked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from simsearch.catalog.web.client import WebClient
from simsearch.catalog.web.connections import public_addresses
from simsearch.catalog.web.errors import BusyError, RefusedError
from simsearch.settings.sections.collection import DownloadConfig
from tests.support.serving import serving


class Moody(BaseHTTPRequestHandler):
    """Answers by path, and records each request's path and time."""

    asked: list[tuple[str, float]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append((self.path, time.monotonic()))
        status, headers = 200, {}
        tries = sum(path == self.path for path, _ in self.asked)
        if self.path == "/robots.txt":
            status = 404
        elif self.path == "/pause" and tries == 1:
            status, headers = 429, {"Retry-After": "1"}
        elif self.path == "/tomorrow":
            status, headers = 503, {"Retry-After": "86400"}
        elif self.path == "/file":
            status, headers = 302, {"Location": "file:///etc/passwd"}
        elif self.path == "/same" and self.headers.get("If-None-Match") == '"1"':
            status = 304
        self.send_response(status)
        for name, value in {"Content-Length": "0", "ETag": '"1"', **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Moody.asked.clear()
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Moody)) as address:
        yield address


def client(**settings: Any) -> WebClient:
    return WebClient(DownloadConfig(**{"private_networks": True, "per_second": 1000.0, **settings}))


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "224.0.0.1",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="in a private network") as raised:
        public_addresses(address, 80)
    assert raised.value.lasting


def test_public_addresses_are_not() -> None:
    assert public_addresses("8.8.8.8", 80) == ["8.8.8.8"]


@pytest.mark.slow
def test_requests_to_a_host_start_evenly_spaced(server: str) -> None:
    started = time.monotonic()
    with client(per_second=20.0, robots=False) as web:
        threads = [
            threading.Thread(target=web.get, args=(f"{server}/{number}", 100))
            for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(Moody.asked) == 6
    assert max(at for _, at in Moody.asked) - started >= 5 / 20


@pytest.mark.slow
def test_a_host_that_asks_for_a_pause_gets_it_from_all_requests(server: str) -> None:
    with client(robots=False) as web:
        web.get(f"{server}/pause", 100)
    (_, first), (_, second) = Moody.asked
    assert second - first >= 1


def test_a_host_that_asks_for_a_long_pause_is_left_alone(server: str) -> None:
    with client(robots=False, attempts=3) as web:
        with pytest.raises((RefusedError, BusyError)):
            web.get(f"{server}/tomorrow", 100)
        asked = len(Moody.asked)
        with pytest.raises(RefusedError, match="asks to be left alone for 86,400 s"):
            web.get(f"{server}/other", 100)
    assert len(Moody.asked) == asked == 1


def test_a_redirect_out_of_the_web_is_refused(server: str) -> None:
    with client(robots=False, attempts=1) as web, pytest.raises(Exception) as raised:  # noqa: PT011
        web.get(f"{server}/file", 100)
    assert "file" in str(raised.value)


def test_what_has_not_changed_is_not_sent_again(server: str) -> None:
    with client() as web:
        first = web.get(f"{server}/same", 100)
        again = web.get(f"{server}/same", 100, etag=first.etag)
    assert (first.data, again.data, again.etag) == (b"", None, '"1"')
