"""The checks before every page: host and origin, an optional password. Also strict headers."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from simsearch.settings.sections.operation import ExploreConfig

LOOPBACK = ("localhost", "127.0.0.1", "::1")

Next = Callable[[Request], Awaitable[Response]]


def content_security_policy(image_hosts: Sequence[str] = ()) -> str:
    """The policy: scripts, styles and data only from here, nothing inline, pictures also from IIIF
    servers."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data: blob:", *image_hosts)),
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Gatekeeper:
    """Refuses requests for other hosts (DNS rebinding), from other sites, and without the token."""

    def __init__(self, config: ExploreConfig, token: str | None) -> None:
        own = () if config.host in ("0.0.0.0", "::") else (config.host,)  # noqa: S104
        named = (*LOOPBACK, *own, *config.hosts)  # with a port or without
        self._hosts = {hostname(host) or host.lower() for host in named}
        self._token = token

    async def __call__(self, request: Request, call_next: Next) -> Response:
        refusal = self.refusal(request)
        response = refusal if refusal is not None else await call_next(request)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", content_security_policy())
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        headers.setdefault("Cache-Control", "no-cache")
        return response

    def refusal(self, request: Request) -> Response | None:
        """The response to a refused request. None for a request that may go on."""
        host = hostname(request.headers.get("host", ""))
        if host not in self._hosts:
            return PlainTextResponse(
                "This explorer does not answer to that host name; name it in explore.hosts.\n", 400
            )
        origin = request.headers.get("origin")
        if request.method not in ("GET", "HEAD") and not _same_site(request, origin):
            return PlainTextResponse("Refused: the request comes from another site.\n", 403)
        if self._token is not None and not shows_token(request, self._token):
            return PlainTextResponse(
                "The explorer asks for its token, as password (any user name) or bearer token.\n",
                401,
                {"WWW-Authenticate": 'Basic realm="simsearch", charset="UTF-8"'},
            )
        return None


def hostname(host: str) -> str:
    """The name of a Host header or origin, without port or brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same_site(request: Request, origin: str | None) -> bool:
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return False
    if origin is None:  # not from a browser: browsers send an origin with every POST
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:  # no address
        return False


def shows_token(request: Request, token: str) -> bool:
    """Whether a request has the token, as password or as bearer token."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    sent = value.encode("latin-1")  # as the server decodes headers
    if scheme.lower() == "bearer":
        password = sent
    elif scheme.lower() == "basic":
        try:
            password = base64.b64decode(sent, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    else:
        return False
    return hmac.compare_digest(password, os.fsencode(token))
