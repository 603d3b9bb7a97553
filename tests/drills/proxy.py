"""A reverse proxy in front of an S3 server that breaks a seeded share of requests in one chosen way."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

METHODS = {"truncated": ("GET",), "full": ("PUT", "POST")}
STALL_SECONDS = 6
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_REFUSALS = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "403": (403, "AccessDenied"),
    "expired": (400, "ExpiredToken"),
    "rotated": (403, "InvalidAccessKeyId"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "full": (403, "QuotaExceeded"),
}


@dataclass
class FaultyProxy:
    """Forwards to `upstream`; while `kind` is set, breaks each request with probability `share`. Requests
    that are signed with `refused_key` are refused, as after a rotation."""

    upstream: str
    seed: int
    kind: str | None = None
    share: float = 0.0
    refused_key: str | None = None
    injected: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def inject(self, kind: str | None, share: float) -> None:
        """Break requests from now on; None: forward all."""
        self._random = random.Random(f"{self.seed} {kind}")
        self.kind, self.share = kind, share
        self.injected.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        kind = self.kind if self._random.random() < self.share else None
        if self.refused_key and f"={self.refused_key}/" in request.headers.get("Authorization", ""):
            kind = "rotated"
        if kind is not None and request.method not in METHODS.get(kind, (request.method,)):
            kind = None
        if kind is None:
            return await self._forward(request)
        self.injected[kind] += 1
        if kind in _REFUSALS:
            status, code = _REFUSALS[kind]
            await request.read()
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
            return web.Response(status=status, text=text, content_type="application/xml")
        if kind == "truncated":
            return await self._forward(request, cut=True)
        if kind == "stall":
            await asyncio.sleep(STALL_SECONDS)
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError

    async def _forward(self, request: web.Request, *, cut: bool = False) -> web.StreamResponse:
        session: aiohttp.ClientSession = request.app[_SESSION]
        async with session.request(
            request.method,
            URL(self.upstream + request.raw_path, encoded=True),
            headers={k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP},
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            length = answer.headers.get("Content-Length", str(len(body)))
            response = web.StreamResponse(status=answer.status, headers=headers)
            if request.method == "HEAD" or answer.status not in (204, 304):
                response.headers["Content-Length"] = length
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            await response.write(body[: len(body) // 2] if cut else body)
            if cut:
                assert request.transport is not None
                request.transport.close()
                raise ConnectionResetError
            await response.write_eof()
            return response


_SESSION = web.AppKey("session", aiohttp.ClientSession)


@contextmanager
def faulty_proxy(upstream: str, seed: int) -> Iterator[FaultyProxy]:
    """A proxy on a free port of 127.0.0.1, in a thread of its own."""
    proxy = FaultyProxy(upstream, seed)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # breaking off is meant
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    finished = asyncio.Event()

    async def serve() -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", proxy.answer)
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            app[_SESSION] = session
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            assert site._server is not None
            proxy.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
            ready.set()
            await finished.wait()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join(30)
