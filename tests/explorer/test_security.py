"""The explorer refuses hostile requests, and none gets past it."""

from __future__ import annotations

import base64

import httpx
import pytest
from starlette.requests import Request

from simsearch.errors import ConfigError
from simsearch.explorer.server.app import TOKEN_VARIABLE, create_app, token_from_environment
from simsearch.explorer.server.security import Gatekeeper, shows_token
from simsearch.settings.sections.operation import ExploreConfig
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import running, settings
from tests.support.gallery import picture_bytes


@pytest.mark.parametrize("wrong", ["nope", "../../etc", "..%2F..", "a" * 5000, "\x00"])
def test_an_unknown_snapshot_or_artwork_is_no_path(site: httpx.Client, wrong: str) -> None:
    for query in ({"snapshot": wrong}, {"id": wrong}):
        answer = site.get("/artwork", params={"id": "x", **query})
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


def test_no_path_leads_out(site: httpx.Client) -> None:
    for wrong in ("..%2Fapp.py", "%2e%2e/app.py", "..%5Capp.py"):
        assert site.get(f"/static/{wrong}").status_code == 404
    assert site.get("/thumbnails/..%2F..%2Fsimsearch.json-96.webp").status_code in (400, 404)


@pytest.mark.slow
def test_another_host_or_site_is_refused(site: httpx.Client) -> None:
    assert site.get("/", headers={"Host": "evil.example"}).status_code == 400
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = site.post("/api/v1/query", content=picture_bytes(), headers=headers)
        assert answer.status_code == 403
    own = {"Origin": str(site.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert site.post("/api/v1/query", content=picture_bytes(), headers=own).status_code == 200


@pytest.mark.slow
def test_a_token_is_asked_for_and_taken_both_ways(snapshot: Snapshot) -> None:
    config = settings(snapshot.storage.root)
    token = "correct horse battery"
    with (
        running(create_app(config, [config.root], token)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        assert client.get("/").status_code == 401
        assert client.get("/api/v1/metrics").status_code == 401
        assert client.get("/static/explorer.css").status_code == 401
        wrong = base64.b64encode(b"me:wrong").decode()
        assert client.get("/", headers={"Authorization": f"Basic {wrong}"}).status_code == 401
        assert client.get("/", auth=("anyone", token)).status_code == 200
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.get("/", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "token", ["grüße aus Köln 1888", "mot de passe: 1888", "秘密の言葉でございます"]
)
def test_a_token_has_any_letters(token: str) -> None:
    sent = token.encode()
    basic = base64.b64encode(b"any:" + sent)
    for header, right in (
        (b"Bearer " + sent, True),
        (b"Basic " + basic, True),
        (b"Bearer " + sent[:-1], False),
        (b"Basic " + sent, False),
        (b"Basic " + base64.b64encode(sent), False),
    ):
        request = Request({"type": "http", "headers": [(b"authorization", header)]})
        assert shows_token(request, token) is right


@pytest.mark.parametrize("named", ["Explorer.Museum.org", "explorer.museum.org:8443"])
def test_a_host_is_named_with_its_port_or_without(named: str) -> None:
    keeper = Gatekeeper(ExploreConfig(hosts=(named,)), None)
    for host, known in (
        ("explorer.museum.org", True),
        ("EXPLORER.museum.org:9000", True),
        ("[::1]:8400", True),
        ("museum.org", False),
        ("8443", False),
    ):
        scope = {"type": "http", "method": "GET", "headers": [(b"host", host.encode())]}
        assert (keeper.refusal(Request(scope)) is None) is known, host


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(ConfigError, match="soon guessed"):
        token_from_environment()


@pytest.mark.parametrize("path", ["/", "/set.csv?ids=AA", "/health", "/artwork?id=none", "/none"])
def test_head_is_answered_as_get_without_a_body(site: httpx.Client, path: str) -> None:
    whole, head = site.get(path), site.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-length", "content-type", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE"])
def test_a_method_that_a_page_does_not_take_is_named(site: httpx.Client, method: str) -> None:
    refused = site.request(method, "/runs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
    assert f"this page takes no {method} request" in refused.text


def test_a_form_that_cannot_be_read_is_no_missing_page(site: httpx.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = site.post("/sets", content=b"ids=AA&" * 1500, headers=form)
    assert refused.status_code == 400
    assert "the request cannot be read (Too many fields" in refused.text


@pytest.mark.parametrize("origin", ["null", "http://[x", "http://[::1", "x", ""])
def test_an_origin_that_is_no_address_is_another_site(site: httpx.Client, origin: str) -> None:
    refused = site.post("/sets", data={"ids": "AA"}, headers={"Origin": origin})
    assert (refused.status_code, "another site" in refused.text) == (403, True)
