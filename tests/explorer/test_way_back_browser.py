"""The way back in a real browser: fields show what the page of that address was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from simsearch.explorer.server.app import create_app
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.browser import Watched
from tests.support.explorer_site import GIVEN, need_chromium, running

pytestmark = pytest.mark.slow
ARTWORK = quote("a/005?&é", safe="")


@pytest.fixture(scope="module")
def two_roots(odd_config: Config, snapshot: Snapshot) -> Iterator[str]:
    need_chromium()
    app = create_app(odd_config, [snapshot.storage.root, odd_config.root])
    with running(app) as address:
        yield address


@pytest.fixture
def watched(browser: Browser, two_roots: str) -> Iterator[Watched]:
    watched = Watched(browser, two_roots)
    yield watched
    watched.close()


def test_the_fields_of_a_search_are_those_of_its_address(watched: Watched) -> None:
    page = watched.goto("/")
    page.get_by_text("More precisely").click()
    page.get_by_label("Title", exact=True).fill("no. 7")
    page.get_by_label("From year").fill("1850")
    with page.expect_navigation():
        page.get_by_label("From year").press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_have_value("no. 7")
    page.go_back()
    expect(page.locator(".card")).not_to_have_count(1)
    expect(page.locator("input[name=title]")).to_have_value("")
    expect(page.locator("input[name=year_from]")).to_have_value("")
    assert watched.faults == []


def test_the_data_set_that_is_chosen_is_the_one_shown(watched: Watched) -> None:
    page = watched.goto("/")
    choice = page.locator("#snapshot")
    shown = choice.input_value()
    values = choice.locator("option").evaluate_all("all => all.map((option) => option.value)")
    with page.expect_navigation():
        choice.select_option(next(value for value in values if value != shown))
    page.go_back()
    expect(page.locator("body")).to_have_attribute("data-snapshot", shown)
    expect(choice).to_have_value(shown)


def test_the_networks_that_are_ticked_are_those_shown(watched: Watched) -> None:
    page = watched.goto(f"/artwork?id={ARTWORK}")
    network = page.get_by_role("checkbox", name=GIVEN)
    ticked = network.is_checked()
    network.click()
    with page.expect_navigation():
        page.get_by_role("button", name="Show").click()
    expect(network).to_be_checked(checked=not ticked)
    page.go_back()
    expect(network).to_be_checked(checked=ticked)
