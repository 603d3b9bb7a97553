"""Connections to other people's servers: only to public addresses, and no longer than a deadline."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore
import httpx

from simsearch.catalog.web.deadline import current_deadline
from simsearch.catalog.web.errors import RefusedError
from simsearch.catalog.web.public_addresses import is_public


def guarded_transport(private: bool) -> httpx.HTTPTransport:
    """A transport that connects only to public addresses, unless `private` allows others.

    A name is resolved once, and the connection goes to the address that was checked. A name that
    resolves to another address a moment later does no harm.
    """
    context = _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    transport = httpx.HTTPTransport(verify=context)
    # httpx has no argument for the backend of its pool.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=_Guarded(private),
    )
    return transport


@cache
def _certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The trusted certificates, read once: reading takes 50 ms of processor time."""
    return httpx.create_ssl_context()


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host name. Raises RefusedError if one of them is not public or the text is no
    host name, OSError if the name cannot be resolved."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part of more than 63 letters
        raise RefusedError(f"{host[:100]} is no host name ({error})", lasting=True) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for address in addresses:
        if not is_public(address):
            raise RefusedError(
                f"{host} is {address}, in a private network; catalog.download.private_networks=true allows it",
                lasting=True,
            )
    return addresses


class _Guarded(httpcore.NetworkBackend):
    def __init__(self, private: bool) -> None:
        self._private = private
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that accepts it. Raises RefusedError,
        httpcore.ConnectError, httpcore.ConnectTimeout."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            try:
                stream = self._backend.connect_tcp(
                    address, port, _shorten_timeout(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            if not self._private:
                return public_addresses(host, port)
            host.encode("idna")
        except UnicodeError as error:
            raise RefusedError(f"{host[:100]} is no host name ({error})", lasting=True) from None
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved ({error})") from None
        return [host]


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end by the deadline of the request."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, _shorten_timeout(timeout))
        if (deadline := current_deadline()) is not None:
            deadline.receive(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _shorten_timeout(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(
            self._stream.start_tls(ssl_context, server_hostname, _shorten_timeout(timeout))
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _shorten_timeout(timeout: float | None) -> float | None:
    """The timeout of one operation, at most the time left for the whole request. Raises
    httpcore.ReadTimeout."""
    deadline = current_deadline()
    if deadline is None:
        return timeout
    left = deadline.left()
    if left <= 0:
        raise httpcore.ReadTimeout("the request's time is over")
    return left if timeout is None else min(timeout, left)
