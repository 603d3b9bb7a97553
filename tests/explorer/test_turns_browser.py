"""What someone does in a real browser while a question is on its way, and what is taken back again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import Held, Watched
from tests.support.explorer_site import NETWORK

ARTWORK = quote("a/005?&é", safe="")


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def wall_after_reload(page: Page) -> tuple[list[str], list[str]]:
    """The wall below the map, and the same after a reload."""
    walls = []
    for reload in (False, True):
        if reload:
            page.reload()
        page.wait_for_selector("canvas[data-ready]")
        page.wait_for_timeout(700)  # the wall and the address follow when nothing moves
        walls.append(page.locator("#wall cite").all_text_contents())
    return walls[0], walls[1]


def test_a_network_chosen_before_the_map_has_opened_is_the_one_shown(watched: Watched) -> None:
    page = watched.page
    slow = Held(page, re.compile("/map/facets"))
    page.goto("/map")
    page.wait_for_timeout(300)
    assert len(slow) == 1
    page.get_by_role("combobox", name="Network").select_option(NETWORK)
    slow.let_go()
    shown, again = wall_after_reload(page)
    assert shown == again
    expect(page.get_by_role("combobox", name="Network")).to_have_value(NETWORK)
    assert watched.faults == []


def test_the_address_of_an_artwork_on_the_map_keeps_where_one_went_from_there(
    watched: Watched,
) -> None:
    page = watched.goto(f"/map?id={ARTWORK}")
    page.get_by_role("button", name="Whole").click()
    shown, again = wall_after_reload(page)
    assert shown == again


def test_tiles_that_come_late_leave_a_picture_where_it_was_moved(watched: Watched) -> None:
    page = watched.page
    slow = Held(page, re.compile("/zoom/tiles.json"))
    page.goto(f"/zoom?id={ARTWORK}&x=0.25&y=0.5&zoom=2")
    canvas = page.locator("#zoom")
    expect(canvas).to_have_attribute("data-zoom", "2.000")
    canvas.press("+")
    expect(canvas).to_have_attribute("data-zoom", "3.000")
    slow.let_go()
    expect(canvas).to_have_attribute("data-ready", "1")
    expect(canvas).to_have_attribute("data-zoom", "3.000")
    assert "x=0.25" in page.url
    assert watched.faults == []


def answer(route: Route, name: str) -> None:
    line = {"space": name, "trained": True, "seconds": 0, "error": None, "set": "", "matches": []}
    route.fulfill(body=json.dumps(line) + "\n", content_type="application/x-ndjson")


def test_the_way_back_leads_to_the_newest_question_by_picture(
    watched: Watched, folder: Path
) -> None:
    page = watched.goto("/picture")
    answers = page.locator("#answers .column")
    page.route("**/api/v1/query*", lambda route: answer(route, "first"))
    page.set_input_files("#picture", folder / "gallery" / "005.png")
    expect(answers).to_have_count(1)
    page.route("**/api/v1/query*", lambda _: None)  # it is left before the answer
    page.set_input_files("#picture", folder / "gallery" / "006.png")
    expect(page.locator(".progress")).to_be_visible()
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.route("**/api/v1/query*", lambda route: answer(route, "second"))
    page.go_back()
    expect(answers).to_contain_text("second")
    page.route("**/api/v1/query*", lambda _: None)
    page.get_by_label("Of years from").fill("1860")
    page.get_by_label("Of years from").press("Tab")
    expect(page.locator(".progress")).to_be_visible()
    page.get_by_label("Of years from").fill("18x")  # it asks nothing
    page.get_by_label("Of years from").press("Tab")
    expect(page.locator("#status")).to_contain_text("Give years as numbers")
    expect(page.locator(".progress")).to_be_hidden()
    assert watched.faults == []


def test_a_drag_over_the_years_is_taken_back_and_an_open_end_is_open(watched: Watched) -> None:
    page = watched.goto("/map")
    bars = page.locator("#timeline svg").bounding_box()
    assert bars
    first = page.get_by_label("From year")
    page.mouse.move(bars["x"] + 20, bars["y"] + 20)
    page.mouse.down()
    page.mouse.move(bars["x"] + 150, bars["y"] + 20, steps=3)
    expect(first).not_to_have_value("")
    page.keyboard.press("Escape")
    expect(first).to_have_value("")
    page.mouse.move(bars["x"] + 200, bars["y"] + 20)
    page.mouse.up()
    page.mouse.down()
    page.locator("#timeline svg").dispatch_event("pointercancel")
    page.mouse.up()
    page.get_by_role("combobox", name="Colour by").select_option("medium")  # counts anew
    expect(page.locator("#count")).to_have_text("24 artworks")
    expect(page.locator("#chips")).to_be_empty()
    for year, count in (("1870", 4), ("1950", 0)):
        first.fill(year)
        first.press("Tab")
        expect(page.locator("#count")).to_have_text(f"{count} of 24 artworks")
        expect(first).to_have_value(year)
        expect(page.get_by_label("To year")).to_have_value("")
    first.fill("0")
    first.press("Tab")
    assert first.evaluate("field => field.validationMessage")  # there is no year 0
    assert watched.faults == []


def test_escape_takes_back_a_box_on_a_picture(watched: Watched) -> None:
    page = watched.goto(f"/detail?id={ARTWORK}")
    frame = page.locator(".boxed").bounding_box()
    assert frame
    page.mouse.move(frame["x"] + 5, frame["y"] + 5)
    page.mouse.down()
    page.mouse.move(frame["x"] + 60, frame["y"] + 60, steps=3)
    expect(page.get_by_label("Width")).not_to_have_value("40")
    page.keyboard.press("Escape")
    page.mouse.move(frame["x"] + 90, frame["y"] + 90)
    page.mouse.up()
    expect(page.get_by_label("From the left")).to_have_value("30")
    expect(page.get_by_label("Width")).to_have_value("40")
    assert watched.faults == []


def test_a_text_is_cut_between_letters_and_a_year_is_none_that_there_is_not(
    watched: Watched,
) -> None:
    page = watched.goto("/sets")
    call = """async () => {
      const { shortened } = await import('/static/map-elements.js');
      const { spanWords, yearOf, yearWords } = await import('/static/map-years.js');
      return [shortened('𠮷'.repeat(5), 4), shortened('abcd', 4), spanWords([0, 24]), spanWords([-24, 24]),
        yearWords(-300), yearOf('0'), yearOf('-300'), yearOf('300 B.C.E.')];
    }"""
    assert page.evaluate(call) == [
        "𠮷𠮷𠮷…", "abcd", "1–24", "24 B.C. to 24", "300 B.C.", None, -300, -300,
    ]  # fmt: skip
    page.goto("/map?q=" + "a" * 201)
    expect(page.locator("#notes")).to_contain_text("no search for as many letters as “aaa")
    assert watched.faults == []
