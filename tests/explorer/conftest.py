"""A small gallery, published and shown by a real server: for all tests of the explorer over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from simsearch.explorer.server.app import create_app
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_pairs import publish_pairs
from tests.support.explorer_site import need_chromium, publish_gallery, running, settings
from tests.support.odd_gallery import COUNT, make_odd


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="session")
def snapshot(folder: Path) -> Snapshot:
    return publish_gallery(settings(str(folder / "data")), folder / "gallery")


@pytest.fixture(scope="session")
def site(snapshot: Snapshot) -> Iterator[httpx.Client]:
    words = ("explore.max_upload_bytes=1000000", "explore.max_upload_pixels=1000000")
    config = settings(snapshot.storage.root, *words)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def odd_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings of a published gallery with the catalog of `odd_gallery`."""
    folder: Path = tmp_path_factory.mktemp("odd")
    config = settings(str(folder / "data"))
    publish_gallery(config, folder / "gallery", COUNT, make_odd)
    return config


@pytest.fixture(scope="session")
def odd(odd_config: Config) -> Iterator[httpx.Client]:
    with (
        running(create_app(odd_config, [odd_config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def address(site: httpx.Client) -> str:
    """Where a browser finds the gallery."""
    need_chromium()
    return str(site.base_url).rstrip("/")


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop in this thread
def browser() -> Iterator[Browser]:
    path = need_chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def pairs_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A published gallery of which geometry knows how pictures lie on one another."""
    folder: Path = tmp_path_factory.mktemp("pairs")
    return publish_pairs(settings(str(folder / "data")), folder / "pictures")


@pytest.fixture(scope="session")
def pairs(pairs_snapshot: Snapshot) -> Iterator[httpx.Client]:
    config = settings(pairs_snapshot.storage.root)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client
