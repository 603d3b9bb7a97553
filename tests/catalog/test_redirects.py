"""Redirects: each host answers for itself, by its own robots.txt, pace and failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simsearch.catalog.web.errors import RefusedError
from tests.support.moody import Request, moody
from tests.support.web_clients import client, failures

MANY = 40  # images of a host


@pytest.mark.slow
@pytest.mark.parametrize("after", [None, "86400"])
def test_a_host_that_leads_to_a_busy_one_is_asked_further(after: str | None) -> None:
    headers = {"Retry_After": after} if after else {}

    def answer(request: Request) -> None:
        request.send(b"", 302, Location=f"{busy.base}{request.path}")

    with moody(lambda request: request.send(b"", 503, **headers)) as busy, moody(answer) as other:
        with client() as web:
            failures(web, [f"{other.base}/{number}" for number in range(MANY)])
            with pytest.raises(RefusedError, match="HTTP 503"):
                web.get(f"{busy.base}/a", 10)
        assert len(busy.asked) < MANY
        assert len(other.asked) == MANY


@pytest.mark.slow
def test_a_host_that_another_leads_to_is_asked_as_its_robots_txt_allows() -> None:
    def answer(request: Request) -> None:
        if request.path == "/robots.txt":
            request.send(b"User-agent: *\nDisallow: /private\nCrawl-delay: 0.4\n")
        else:
            request.send(b"well")

    def lead(request: Request) -> None:
        request.send(b"", 302, Location=f"{target.base}{request.path}")

    with moody(answer) as target, moody(lead) as other, client(robots=True) as web:
        addresses = [f"{other.base}/{name}" for name in ("a", "private/b", "c")]
        reasons = failures(web, addresses)
        assert sum("robots.txt forbids it" in reason for reason in reasons) == 1
        assert sorted(target.asked) == ["/a", "/c", *2 * ["/robots.txt"]]
        pictures = [
            when
            for path, when in zip(target.asked, target.times, strict=True)
            if "robots" not in path
        ]
        assert pictures[1] - pictures[0] >= 0.3


def test_redirects_without_end_are_refused() -> None:
    def lead(request: Request) -> None:
        request.send(b"", 302, Location=f"{request.path}x")

    with (
        moody(lead) as served,
        client() as web,
        pytest.raises(RefusedError, match="leads on to another address 6 times"),
    ):
        web.get(f"{served.base}/a", 10)
    assert len(served.asked) == 6


@pytest.fixture
def through_proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says which proxy the environment names; those of the machine are left out."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return lambda base: monkeypatch.setenv("http_proxy", base)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/a",
        "http://169.254.169.254/latest/meta-data",
        "http://0x7f000001/a",
        "http://127.1/a",
        "http://localhost/a",
        "http://[::ffff:10.0.0.1]/a",
        "http://[64:ff9b::a00:1]/a",
    ],
)
def test_a_proxy_is_asked_for_no_private_address_that_a_redirect_names(
    through_proxy: Callable[[str], None], target: str
) -> None:
    with moody(lambda request: request.send(b"", 302, Location=target)) as proxy:
        through_proxy(proxy.base)
        with (
            client(private_networks=False) as web,
            pytest.raises(RefusedError, match="in a private network"),
        ):
            web.get("http://museum.invalid/a", 10)
        assert proxy.asked == ["http://museum.invalid/a"]


def test_a_proxy_leads_on_to_public_addresses(through_proxy: Callable[[str], None]) -> None:
    def answer(request: Request) -> None:
        if request.path == "http://museum.invalid/a":
            request.send(b"", 302, Location="http://8.8.8.8/b")
        else:
            request.send(b"well")

    with moody(answer) as proxy:
        through_proxy(proxy.base)
        with client(private_networks=False) as web:
            assert web.get("http://museum.invalid/a", 10).data == b"well"
        assert proxy.asked == ["http://museum.invalid/a", "http://8.8.8.8/b"]
