"""The map in a real browser: what is drawn while another map is on its way, and failures that are said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.explorer.test_answers_browser import lasso, wall
from tests.support.browser import Held, Watched
from tests.support.explorer_site import GIVEN, NETWORK

pytestmark = pytest.mark.slow
LOGIN = "<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def around_the_middle(_: float) -> float:
    return 0.4


def test_an_area_belongs_to_the_map_on_which_it_is_drawn(watched: Watched) -> None:
    page = watched.goto(f"/map?space={GIVEN}")
    lasso(page, around_the_middle)
    drawn = wall(page)
    assert drawn
    page.goto(f"/map?space={GIVEN}")
    page.wait_for_selector("canvas[data-ready]")
    slow = Held(page, re.compile(f"/map/points.*{NETWORK}"))
    page.get_by_role("combobox", name="Network").select_option(NETWORK)
    lasso(page, around_the_middle)  # the map of the first network is still the one in sight
    assert sorted(wall(page)) == sorted(drawn)
    slow.let_go()
    assert sorted(wall(page)) == sorted(drawn)
    assert f"area={GIVEN}" in page.url
    assert f"space={NETWORK}" in page.url
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    assert sorted(wall(page)) == sorted(drawn)
    assert watched.faults == []


def test_an_area_that_is_drawn_before_the_map_has_opened_counts(watched: Watched) -> None:
    page = watched.goto(f"/map?space={GIVEN}")
    lasso(page, around_the_middle)
    drawn = wall(page)
    slow = Held(page, re.compile("/map/facets"))
    page.goto(f"/map?space={GIVEN}")
    page.wait_for_timeout(400)
    assert len(slow) == 1
    lasso(page, around_the_middle)
    slow.let_go()
    page.wait_for_selector("canvas[data-ready]")
    assert wall(page) == drawn
    expect(page.locator("#trouble")).to_have_text("")
    assert watched.faults == []


def test_a_map_without_its_filters_says_so_though_its_points_have_come(watched: Watched) -> None:
    page = watched.page
    slow = Held(page, re.compile("/map/points"))
    page.route(re.compile("/map/facets"), lambda route: route.fulfill(status=500))
    page.goto("/map")
    expect(page.locator("#trouble")).to_contain_text("The map cannot be shown")
    slow.let_go()
    page.wait_for_timeout(300)
    expect(page.locator("#trouble")).to_contain_text("The map cannot be shown")
    page.unroute(re.compile("/map/facets"))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#count")).to_have_text("24 artworks")
    expect(page.locator("#trouble")).to_have_text("")
    assert watched.thrown == []


def test_the_menu_of_the_bars_keeps_no_years(watched: Watched) -> None:
    page = watched.goto("/map")
    bars = page.locator("#timeline svg").bounding_box()
    assert bars
    page.mouse.move(bars["x"] + 20, bars["y"] + 20)
    page.mouse.down(button="right")
    page.mouse.move(bars["x"] + 150, bars["y"] + 20, steps=3)
    expect(page.get_by_label("From year")).to_have_value("")
    page.mouse.up(button="right")
    expect(page.locator("#count")).to_have_text("24 artworks")


def test_a_search_in_an_address_has_as_many_letters_as_the_explorer_takes(
    watched: Watched,
) -> None:
    page = watched.goto("/map?q=" + "𠮷" * 200)  # each is two units of a script's text
    expect(page.locator("#count")).to_have_text("0 of 24 artworks")
    expect(page.locator("#notes")).to_be_hidden()


def test_of_several_values_in_an_address_the_last_one_counts(watched: Watched) -> None:
    page = watched.goto("/map?q=nothing&q=script&years=1..2&years=1850..1860")
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    expect(page.locator("#main")).to_contain_text("has several values of q, years. The last")
    page.goto("/zoom?id=a/000?%26e&zoom=2&zoom=3")
    expect(page.locator("#zoom")).to_have_attribute("data-zoom", "3.000")
    assert watched.faults == []


def test_a_span_of_years_is_typed_over_an_earlier_one(watched: Watched) -> None:
    page = watched.goto("/map")
    first, last = page.get_by_label("From year"), page.get_by_label("To year")
    for years in (("1850", "1853"), ("1860", "1865"), ("1852", "1855"), ("1870", "1866")):
        for field, year in zip((first, last), years, strict=True):
            field.fill(year)
            field.press("Tab")
        expect(first).to_have_value(years[0])
        expect(last).to_have_value(years[1])
        span = sorted(map(int, years))
        expect(page.locator("#chips")).to_have_text(f"{span[0]}–{span[1]}×")
        expect(page.locator("#count")).to_have_text(f"{span[1] - span[0] + 1} of 24 artworks")
    assert watched.faults == []


@pytest.mark.parametrize("script", ["map.js", "map-wall.js"])
def test_a_script_that_does_not_come_is_missed_in_words(watched: Watched, script: str) -> None:
    page = watched.page
    page.route(re.compile(f"/static/{script}"), lambda route: route.fulfill(status=503))
    page.goto("/map")
    expect(page.get_by_role("alert").first).to_have_text(
        "A script of this page did not come. Reload it."
    )


STRANGE = [
    (200, "text/html", LOGIN, "Another page came in place of the answer"),
    (503, "text/html", LOGIN, "The explorer answered 503."),
    (413, "text/html", LOGIN, "The explorer answered 413: the picture is too large"),
    (502, "application/json", "null", "The explorer answered 502."),
    (404, "application/json", "{}", "The explorer answered 404."),
    (200, "application/x-ndjson", '{"space": "a', "The answer was cut off."),
]


def answering(status: int, kind: str, body: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, content_type=kind, body=body)


def test_what_another_server_answers_in_the_explorers_place_is_said(
    watched: Watched, folder: Path
) -> None:
    page = watched.page
    for status, kind, body, words in STRANGE:
        page.goto("/picture")
        page.wait_for_selector(".drop[data-ready]")
        page.route("**/api/v1/query*", answering(status, kind, body))
        page.set_input_files("#picture", folder / "gallery" / "005.png")
        expect(page.locator("#status")).to_contain_text(words)
        expect(page.locator("#status")).not_to_contain_text("<")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        expect(page.locator(".progress")).to_be_hidden()
        page.unroute("**/api/v1/query*")
    page.route(
        re.compile("/map/(points|cards)"),
        lambda route: route.fulfill(content_type="text/html", body=LOGIN),
    )
    page.goto("/map")
    expect(page.locator("#trouble")).to_contain_text(
        "The map cannot be shown: another page came in its place; reload this page."
    )
    assert watched.thrown == []
