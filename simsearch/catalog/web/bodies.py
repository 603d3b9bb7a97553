"""Bodies of responses, unpacked here, so that a packed one cannot exceed the limit either."""

from __future__ import annotations

import zlib

import httpx

from simsearch.catalog.web.deadline import Deadline
from simsearch.catalog.web.errors import BusyError, RefusedError

ENCODINGS = "gzip, identity"  # the encodings that requests accept


def read_body(response: httpx.Response, max_bytes: int, deadline: Deadline) -> bytes:
    """The body of at most `max_bytes`, before and after unpacking. Raises RefusedError, BusyError,
    httpx.HTTPError."""
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdecimal() and _exceeds(announced, max_bytes):
        raise _too_large(max_bytes)
    data = bytearray()
    came = 0
    for chunk in response.iter_raw():
        came += len(chunk)
        data += chunk if unpack is None else unpack.feed(chunk, max_bytes + 1 - len(data))
        if max(came, len(data)) > max_bytes:
            raise _too_large(max_bytes)
        if deadline.left() <= 0:
            raise httpx.ReadTimeout("the request's time is over", request=response.request)
    if unpack is not None and came and not unpack.whole:
        raise BusyError("its gzip ends early")
    return bytes(data)


def _exceeds(digits: str, most: int) -> bool:
    return len(digits.lstrip("0")) > 18 or int(digits) > most


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError(f"more than {max_bytes:,} bytes", lasting=True)


def _unpacker(header: str) -> _Gzip | None:
    """The unpacker for a Content-Encoding. None if nothing is packed. Raises RefusedError."""
    names = [name for part in header.split(",") if (name := part.strip().lower())]
    names = [name for name in names if name != "identity"]
    if not names:
        return None
    if names in (["gzip"], ["x-gzip"]):
        return _Gzip()
    raise RefusedError(f"packed as {', '.join(names)[:100]!r}; only gzip is unpacked", lasting=True)


class _Gzip:
    """Unpacks gzip, also of several members. `whole` says whether the last member has ended."""

    def __init__(self) -> None:
        self.whole = False
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def feed(self, chunk: bytes, most: int) -> bytes:
        """The unpacked chunk, at most `most` bytes of it. Raises RefusedError."""
        data = bytearray()
        while chunk and len(data) < most:
            if self._member.eof:
                if not chunk.strip(b"\0"):  # padding
                    break
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                data += self._member.decompress(chunk, most - len(data))
            except zlib.error as error:
                raise RefusedError(f"broken gzip ({error})", lasting=True) from None
            chunk = self._member.unused_data or self._member.unconsumed_tail
        self.whole = self._member.eof
        return bytes(data)
