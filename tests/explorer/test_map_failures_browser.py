"""The map in a real browser: requests that fail late, and drawings without an area."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.explorer.test_answers_browser import lasso
from tests.support.browser import Watched
from tests.support.explorer_site import GIVEN, NETWORK


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def test_an_old_question_that_fails_late_says_nothing(watched: Watched) -> None:
    page = watched.goto("/map")
    held: list[Route] = []
    page.route(
        re.compile(f"/map/(found.*q=etude|points.*{NETWORK})"), lambda route: held.append(route)
    )
    find, network = page.get_by_label("Find"), page.get_by_role("combobox", name="Network")
    find.fill("etude")
    page.wait_for_timeout(400)
    find.fill("script")
    network.select_option(NETWORK)
    page.wait_for_timeout(300)
    network.select_option(GIVEN)
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    assert len(held) == 2
    for route in held:
        route.abort()
    page.wait_for_timeout(400)
    expect(page.locator("#trouble")).to_have_text("")
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    assert watched.thrown == []


def test_a_line_selects_nothing_and_leaves_the_area_before_it(watched: Watched) -> None:
    page = watched.goto("/map")
    lasso(page, lambda _: 0.5)
    expect(page.locator("#chips")).to_contain_text("drawn on the map")
    before = page.locator("#count").text_content()
    area = page.locator("#map").bounding_box()
    assert area
    page.mouse.move(area["x"] + 20, area["y"] + 60)
    page.mouse.down()
    page.mouse.move(area["x"] + 220, area["y"] + 200)  # one step: a line of two corners
    page.mouse.up()
    expect(page.locator("#status")).to_contain_text("A line selects nothing")
    expect(page.locator("#chips")).to_contain_text("drawn on the map")
    expect(page.locator("#count")).to_have_text(before or "")
    assert watched.faults == []
