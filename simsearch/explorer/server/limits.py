"""The limits for one visitor: connections, time for a request's head and body, bytes."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # from the connection or the first byte of a request to the end of its head
BODY_SECONDS = 60.0  # 32 MiB at 4.5 Mbit/s
CONNECTIONS = 800  # systems commonly give a process 1,024 open files
CONNECTIONS_PER_ADDRESS = 400  # behind a proxy all connections have the proxy's address
FORM_BYTES = 256 * 2**10  # of a body that is no picture; a set of 5,000 artworks has 12,000 bytes
UPLOADS = ("/picture", "/api/v1/query")  # routes that count their bytes themselves


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose connections are counted. A connection is closed if a request's head is late. h11 limits
    the head's size."""

    _late: asyncio.TimerHandle | None = None
    _counted: tuple[Counter[str], str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        counts = _counts_of(self.server_state)
        address = self.client[0] if self.client else ""
        if counts.total() >= CONNECTIONS or counts[address] >= CONNECTIONS_PER_ADDRESS:
            transport.abort()
            return
        counts[address] += 1
        self._counted = counts, address
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._late is None and not self._answering:
            self._expect_head()
        super().data_received(data)
        if self._answering:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._counted is not None:
            counts, address = self._counted
            counts[address] -= 1
            if not counts[address]:
                del counts[address]
            self._counted = None
        super().connection_lost(exc)

    @property
    def _answering(self) -> bool:
        """Whether a whole head has arrived that is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _counts_of(server_state: Any) -> Counter[str]:
    """The open connections of a server by their address."""
    counts: Counter[str] | None = getattr(server_state, "connections_by_address", None)
    if counts is None:
        counts = server_state.connections_by_address = Counter()
    return counts


class BoundedBodies:
    """Ends a request whose body is late or too long, as if the sender had gone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        left = None if path in UPLOADS else FORM_BYTES
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        whole = ended = False

        async def bounded() -> Message:
            nonlocal left, whole, ended
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                ended = True
                return {"type": "http.disconnect"}
            if message["type"] == "http.request":
                whole = not message.get("more_body", False)
                if left is not None:
                    left -= len(message.get("body", b""))
                    if left < 0:
                        ended = True
                        return {"type": "http.disconnect"}
            return message

        async def closing(message: Message) -> None:
            if ended and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, bounded, closing)


class HeadAsGet:
    """Answers a HEAD request as a GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)
