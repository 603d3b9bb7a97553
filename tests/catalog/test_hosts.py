"""Hosts that are dead, slow, busy or demanding: given up by the stated rules, and nobody else waits."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simsearch.catalog.web import hosts
from simsearch.catalog.web.errors import FAILURES, BusyError, RefusedError, reason_of
from simsearch.catalog.web.turns import call_in_parallel
from simsearch.settings.sections.collection import DownloadConfig
from tests.support.moody import Request, moody
from tests.support.web_clients import client, failures

MANY = 40  # images of a host


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("robots", [False, True])
def test_a_host_that_never_answers_is_given_up(silent: str, robots: bool) -> None:
    began = time.monotonic()
    with client(robots=robots, timeout=0.2) as web:
        reasons = failures(web, [f"{silent}/{number}" for number in range(MANY)])
    assert time.monotonic() - began < 5  # without a rule, 40 images of 0.2 s each
    assert all(reasons)
    expected = "for its robots.txt" if robots else "it gave no answer for"
    assert sum(expected in reason for reason in reasons) > MANY - 6


@pytest.mark.slow
def test_other_hosts_go_on_while_one_is_silent() -> None:
    others_done = threading.Event()

    def wait(request: Request) -> None:
        others_done.wait(30)
        request.send(b"late")

    order: list[str] = []
    with moody(wait) as slow, moody(lambda request: request.send(b"x")) as quick:
        rows = [{"image_uri": f"{slow.base}/{number}"} for number in range(MANY)]
        rows += [{"image_uri": f"{quick.base}/{number}"} for number in range(MANY)]

        def ask(row: dict[str, Any]) -> None:
            web.get(row["image_uri"], 1000)
            order.append(row["image_uri"])
            if sum(address.startswith(quick.base) for address in order) == MANY:
                others_done.set()

        with client(timeout=20) as web:
            list(call_in_parallel(ask, rows, 8))
    assert all(address.startswith(quick.base) for address in order[:MANY])
    assert len(order) == 2 * MANY


@pytest.mark.slow
@pytest.mark.parametrize("part", ["head", "body"])
def test_a_host_that_drips_is_ended_by_the_deadline_and_given_up(part: str) -> None:
    def drip(request: Request) -> None:
        if part == "body":
            request.head(Content_Length="1000")
        request.drip(b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 100, 0.05)  # each read is quick

    with moody(drip) as served, client(timeout=0.2) as web:
        began = time.monotonic()
        reasons = failures(web, [f"{served.base}/{number}" for number in range(MANY)])
    assert time.monotonic() - began < 5  # without a deadline, 35 s an image
    assert "no answer in time" in reasons[0]
    assert "it gave no answer for" in reasons[-1]


@pytest.mark.slow
def test_a_large_answer_has_the_time_that_its_bytes_need() -> None:
    piece = b"x" * 16_384

    def slowly(request: Request) -> None:
        request.head(Content_Length=str(8 * len(piece)))
        for _ in range(8):
            request._handler.wfile.write(piece)
            time.sleep(0.05)

    with moody(slowly) as served, client(timeout=0.2) as web:
        assert web.get(f"{served.base}/large", 10**6).data == 8 * piece


@pytest.mark.slow
def test_a_host_that_only_fails_is_given_up_and_one_success_counts() -> None:
    def busy(request: Request) -> None:
        request.send(b"", 503 if request.path != "/good" else 200)

    count = 2 * hosts.UNWILLING
    with moody(busy) as served:
        with client() as web:
            for number in range(hosts.UNWILLING - 1):
                with pytest.raises(BusyError):
                    web.get(f"{served.base}/{number}", 10)
            web.get(f"{served.base}/good", 10)
            reasons = failures(web, [f"{served.base}/{number}" for number in range(count)])
        given_up = f"it failed for {hosts.UNWILLING} addresses in a row (HTTP 503)"
        assert sum(given_up in reason for reason in reasons) >= hosts.UNWILLING - 8
        assert len(served.asked) <= 2 * hosts.UNWILLING + 8


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_robots_txt_that_cannot_be_had_allows_nothing_and_is_asked_once(status: int) -> None:
    def answer(request: Request) -> None:
        request.send(b"", status if request.path == "/robots.txt" else 200)

    with moody(answer) as served, client(robots=True) as web:
        reasons = failures(web, [f"{served.base}/{number}" for number in range(MANY)])
        assert served.asked == ["/robots.txt"]
    assert len(reasons) == MANY
    assert all(f"HTTP {status} for its robots.txt, so nothing is allowed" in r for r in reasons)


def test_a_robots_txt_that_is_not_there_allows_everything() -> None:
    def answer(request: Request) -> None:
        request.send(b"", 404 if request.path == "/robots.txt" else 200)

    with moody(answer) as served, client(robots=True) as web:
        assert web.get(f"{served.base}/a", 10).data == b""


@pytest.mark.parametrize(
    ("delay", "refused"),
    [("3600", True), ("9" * 30, True), ("1e999", False), ("nan", False), ("-5", False)],
)
def test_a_giant_crawl_delay_is_named(delay: str, refused: bool) -> None:
    text = f"User-agent: *\nCrawl-delay: {delay}\n".encode()
    with moody(lambda request: request.send(text)) as served, client(robots=True) as web:
        if refused:
            with pytest.raises(RefusedError, match=r"between two requests \(Crawl-delay\)"):
                web.get(f"{served.base}/a", 1000)
        else:
            assert web.get(f"{served.base}/a", 1000).data == text


@pytest.mark.slow
def test_a_crawl_delay_is_kept_and_the_wait_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hosts, "LOGGED", 0.25)
    caplog.set_level(logging.INFO)
    text = b"User-agent: *\nCrawl-delay: 0.4\n"
    with moody(lambda request: request.send(text)) as served, client(robots=True) as web:
        assert failures(web, [f"{served.base}/{number}" for number in range(3)]) == [""] * 3
        waits = [
            later - earlier
            for earlier, later in zip(served.times[1:], served.times[2:], strict=False)
        ]
    assert min(waits) >= 0.3  # both ends are measured by the server
    assert f"{served.base}: waits 0 s (Crawl-delay of its robots.txt)" in caplog.text


@pytest.mark.parametrize("after", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_giant_pause_is_named_and_not_waited_for(after: str) -> None:
    def answer(request: Request) -> None:
        request.send(b"", 503, Retry_After=after)

    with moody(answer) as served:
        with client(attempts=4) as web:
            reasons = failures(web, [f"{served.base}/{number}" for number in range(MANY)])
        assert all("asks to be left alone for" in reason for reason in reasons)
        assert len(served.asked) <= 8


@pytest.mark.parametrize("after", ["", "soon", "-1", "١٢", "Fri, 99 Dec 9999 99:99:99 -9999"])
def test_a_pause_that_is_no_time_is_none(after: str) -> None:
    with (
        moody(
            lambda request: request.send(b"", 503, Retry_After=after.encode().decode("latin-1"))
        ) as served,
        client() as web,
        pytest.raises(BusyError, match="HTTP 503"),
    ):
        web.get(f"{served.base}/a", 10)


def test_pauses_one_after_another_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    host = hosts.Host("https://x.test", DownloadConfig())
    for _ in range(2):
        host.pause(200, "HTTP 429")
        now += 200
        host.note_service()
    host.pause(200, "HTTP 429")
    now += 200
    with pytest.raises(RefusedError, match="HTTP 429: asks to be left alone for 400 s"):
        host.pause(200, "HTTP 429")


def test_a_cut_answer_is_no_silence() -> None:
    def cut(request: Request) -> None:
        request.head(Content_Length="1000")

    with moody(cut) as served, client() as web, pytest.raises(httpx.RemoteProtocolError):
        web.get(f"{served.base}/a", 10_000)


@pytest.mark.slow
def test_a_host_that_leads_to_a_silent_one_is_asked_further(silent: str) -> None:
    def answer(request: Request) -> None:
        if "dead" in request.path:
            request.send(b"", 302, Location=f"{silent}{request.path}")
        else:
            request.send(b"well")

    with moody(answer) as other, client(timeout=1) as web:
        for number in range(4):
            with pytest.raises(FAILURES) as raised:
                web.get(f"{other.base}/dead/{number}", 1000)
        assert "it gave no answer for" in reason_of(raised.value)
        assert web.get(f"{other.base}/a", 1000).data == b"well"


def test_clients_share_what_they_learn_within_a_run() -> None:
    with moody(lambda request: request.send(b"", 503, Retry_After="86400")) as served:
        with hosts.sharing_hosts():
            for _ in range(2):
                with client() as web, pytest.raises(RefusedError, match="asks to be left alone"):
                    web.get(f"{served.base}/a", 10)
        assert len(served.asked) == 1
        with client() as web, pytest.raises(RefusedError):
            web.get(f"{served.base}/a", 10)
        assert len(served.asked) == 2


def test_an_address_of_version_six_keeps_its_brackets() -> None:
    with client() as web:
        assert web._hosts.of(httpx.URL("http://[::1]:8080/a")).origin == "http://[::1]:8080"
