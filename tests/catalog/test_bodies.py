"""Answers are unpacked within bounds, and what is packed otherwise is refused by name."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from simsearch.catalog.web.errors import BusyError, RefusedError
from tests.support.moody import Request, moody
from tests.support.web_clients import client

BOMB = gzip.compress(bytes(64 * 2**20))  # 64 kB


def packed(data: bytes, encoding: str) -> bytes | None:
    """A body as the client reads it when the server sends it with a Content-Encoding."""

    def answer(request: Request) -> None:
        request.send(data, Content_Encoding=encoding)

    with moody(answer) as served, client() as web:
        return web.get(f"{served.base}/a", 100_000).data


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_gzip_is_unpacked(encoding: str) -> None:
    assert packed(gzip.compress(b"picture"), encoding) == b"picture"
    assert packed(gzip.compress(b"pic") + gzip.compress(b"ture") + b"\0\0", encoding) == b"picture"


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_what_is_not_packed_comes_as_it_is(encoding: str) -> None:
    assert packed(BOMB[:100], encoding) == BOMB[:100]


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "deflate", "br", "zstd", "gzip, br", "gzip;q=1"]
)
def test_other_and_stacked_packings_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(RefusedError, match="only gzip is unpacked") as raised:
        packed(gzip.compress(gzip.compress(b"picture")), encoding)
    assert encoding in str(raised.value)


def test_a_bomb_costs_no_memory() -> None:
    packed(gzip.compress(b"x"), "gzip")  # what is imported on the way
    tracemalloc.start()
    with pytest.raises(RefusedError, match="more than 100,000 bytes"):
        packed(BOMB, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (gzip.compress(b"picture")[:-9], BusyError),
        (b"no gzip", RefusedError),
        (zlib.compress(b"x"), RefusedError),
    ],
    ids=["cut", "none", "zlib"],
)
def test_broken_gzip_is_named(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match="gzip"):
        packed(data, "gzip")


def test_robots_txt_is_bounded_as_well() -> None:
    def answer(request: Request) -> None:
        request.send(BOMB, Content_Encoding="gzip")

    expected = pytest.raises(RefusedError, match=r"more than 524,288 bytes for its robots\.txt")
    with moody(answer) as served, client(robots=True) as web, expected:
        web.get(f"{served.base}/a", 10)


def test_only_gzip_is_asked_for() -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> None:
        seen.append(request.headers["Accept-Encoding"])
        request.send(b"x")

    with moody(answer) as served, client() as web:
        web.get(f"{served.base}/a", 10)
    assert seen == ["gzip, identity"]
