"""Verdicts in a real browser that stops a request, or that keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from simsearch.explorer.server.app import create_app
from tests.explorer.test_verdicts import PAGE, TOKEN, in_folders
from tests.support.browser import Watched, without_storage
from tests.support.explorer_site import publish_gallery, running, settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judged_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("verdicts")
    config = settings(str(folder / "data"))
    publish_gallery(config, folder / "gallery", 10, in_folders)
    with running(create_app(config, [config.root], TOKEN)) as address:
        yield address


@pytest.fixture
def watched(browser: Browser, judged_address: str) -> Iterator[Watched]:
    secret = {"username": "anyone", "password": TOKEN}
    watched = Watched(browser, judged_address, http_credentials=secret)
    yield watched
    watched.close()


def judge(page: Page, key: str) -> None:
    name = page.locator("#pair input[name=who]")
    name.fill("Ada")
    name.press("Tab")
    page.keyboard.press(key)


def test_a_verdict_that_was_stopped_can_be_given_again(watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    watched.goto(PAGE)
    # The page stays, as it does where its reader stops the request.
    page.route(f"**{PAGE}*", lambda route: route.fulfill(status=204))
    with page.expect_response(f"**{PAGE}*"):
        judge(page, "2")
    page.unroute(f"**{PAGE}*")
    page.clock.fast_forward(6_000)
    before = page.locator("#progress").text_content()
    page.keyboard.press("2")
    expect(page.locator("#progress")).not_to_have_text(before or "")


def test_the_next_key_takes_no_verdict_back_that_is_on_its_way(watched: Watched) -> None:
    page = watched.goto(PAGE)
    before = page.locator("#progress").text_content()
    held: list[Route] = []
    page.route(
        f"**{PAGE}*",
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    judge(page, "2")
    for key in ("ArrowRight", "c", "3"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert [route.request.failure for route in held] == [None]
    held[0].continue_()
    expect(page.locator("#progress")).not_to_have_text(before or "")
    assert watched.faults == []


def test_a_browser_that_keeps_nothing_has_all_keys(watched: Watched) -> None:
    without_storage(watched.page)
    page = watched.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    watched.goto(PAGE)
    before = page.locator("#progress").text_content()
    judge(page, "2")
    expect(page.locator("#progress")).not_to_have_text(before or "")
    assert watched.faults == []
