"""The explorer on a real local Ray Serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ray import serve

from simsearch.explorer.server.app import TOKEN_VARIABLE
from simsearch.explorer.server.deployment import start
from tests.support.explorer_site import GIVEN, publish_gallery, settings
from tests.support.processes import free_port

TOKEN = "a token for the tests"


@pytest.fixture(scope="module")
def address(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serve")
    port = free_port()
    config = settings(str(folder / "data"), f"explore.port={port}")
    publish_gallery(config, folder / "gallery", count=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_VARIABLE, TOKEN)
        start(config, [config.root])
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()


def test_the_same_pages_come_from_ray_serve(address: str, tmp_path: Path) -> None:
    assert httpx.get(address, timeout=60).status_code == 401
    with httpx.Client(base_url=address, auth=("museum", TOKEN), timeout=60) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert client.get("/static/explorer.css").status_code == 200
        answer = client.get("/api/v1/neighbours", params={"id": "a/000?&e"}).json()
        assert len(answer["spaces"][GIVEN]) == 5
        assert client.get("/artwork", params={"id": "nope"}).status_code == 404
