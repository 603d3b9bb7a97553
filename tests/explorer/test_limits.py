"""One visitor's limits: half-sent requests are closed, connections counted, few pictures at once."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Form, Request
from PIL import Image

from simsearch.explorer.server import limits, serve, uploads
from simsearch.explorer.server.uploads import upload_place
from simsearch.reading.picture_query import DecodersBusyError


@contextmanager
def served(app: FastAPI) -> Iterator[tuple[str, int]]:
    """The address of an application behind the explorer's own server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server: uvicorn.Server = serve.server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield listener.getsockname()
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(limits, "CONNECTIONS_PER_ADDRESS", 10)
    app = FastAPI()
    app.add_middleware(limits.BoundedBodies)

    @app.get("/")
    def page() -> str:
        return "page"

    @app.post("/form")
    async def form(text: str = Form()) -> int:
        return len(text)

    with served(app) as address:
        yield address


def ended_after(address: tuple[str, int], *sent: bytes) -> float:
    """Seconds after which the server has closed a connection on which `sent` came, each but the first
    after the answer to the one before, and no more."""
    started = time.monotonic()
    with socket.create_connection(address, timeout=10) as connection:
        for part in sent[:-1]:
            connection.sendall(part)
            assert connection.recv(1000)
        connection.sendall(sent[-1])
        while connection.recv(1000):
            pass
    return time.monotonic() - started


HEAD = b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        [b""],
        [b"GET / HTTP/1.1\r\nHost: "],
        [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HT"],
        [HEAD + b"Content-Length: 100\r\n\r\ntext=half"],
    ],
)
def test_a_half_sent_request_is_closed(address: tuple[str, int], sent: list[bytes]) -> None:
    assert ended_after(address, *sent) < 4  # before uvicorn closes idle connections


@pytest.mark.slow
def test_whole_requests_on_one_connection_outlast_the_limit(address: tuple[str, int]) -> None:
    with httpx.Client(base_url="http://{}:{}".format(*address)) as client:
        for _ in range(4):
            assert client.get("/").json() == "page"
            time.sleep(0.2)
        assert client.post("/form", data={"text": "x" * 1000}).json() == 1000


@pytest.mark.slow
def test_one_address_has_only_so_many_connections(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(30)
        ]
        time.sleep(0.2)
        closed = 0
        for connection in opened:
            connection.setblocking(False)
            try:
                closed += connection.recv(1) == b""
            except ConnectionResetError:
                closed += 1
            except BlockingIOError:
                pass
        assert closed == 20
    time.sleep(0.2)
    assert httpx.get("http://{}:{}/".format(*address)).status_code == 200


@pytest.mark.slow
def test_a_long_body_that_is_no_picture_ends(address: tuple[str, int]) -> None:
    length = limits.FORM_BYTES + 100_000
    body = b"text=" + b"x" * (length - 5)
    answer = b""
    # The server does not wait for the rest.
    with (
        socket.create_connection(address, timeout=10) as connection,
        suppress(ConnectionResetError),
    ):
        connection.sendall(HEAD + f"Content-Length: {length}\r\n\r\n".encode() + body)
        while received := connection.recv(1000):
            answer += received
    assert not answer or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.slow
def test_pictures_are_few_at_once(site: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 900), "#336699").save(buffer, "PNG")

    def ask(_: int) -> httpx.Response:
        return site.post("/api/v1/query", content=buffer.getvalue())

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, range(10)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert "try again in some seconds" in refused[0].text
    assert ask(0).status_code == 200


def test_a_place_for_a_picture_is_given_back() -> None:
    request = Request({"type": "http", "app": FastAPI()})

    async def ask() -> None:
        for _ in range(2):
            async with AsyncExitStack() as stack:
                for _ in range(uploads.MOST_UPLOADS):
                    await stack.enter_async_context(upload_place(request))
                with pytest.raises(DecodersBusyError):
                    await stack.enter_async_context(upload_place(request))

    asyncio.run(ask())
