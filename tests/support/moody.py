"""A web server that a test tells how to misbehave, down to the single byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.serving import serving


class Request:
    """What a test's answers work with. The body goes out as it is written."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.path = handler.path
        self.headers = handler.headers
        self._handler = handler

    def head(self, status: int = 200, **headers: str) -> None:
        """Send a status and headers; "_" in a name stands for "-"."""
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def send(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.head(status, Content_Length=str(len(data)), **headers)
        self._handler.wfile.write(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send bytes raw, a byte every so many seconds, until the other side has had enough."""
        for place in range(len(data)):
            self._handler.wfile.write(data[place : place + 1])
            self._handler.wfile.flush()
            time.sleep(seconds)


class Moody:
    """`answer` serves each request; `asked` has the paths in order, `times` when each came."""

    def __init__(self, answer: Callable[[Request], None]) -> None:
        self.asked: list[str] = []
        self.times: list[float] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked.append(self.path)
                owner.times.append(time.monotonic())
                try:
                    answer(Request(self))
                except (BrokenPipeError, ConnectionResetError):
                    return

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def moody(answer: Callable[[Request], None]) -> Iterator[Moody]:
    served = Moody(answer)
    with serving(served.server):
        yield served
