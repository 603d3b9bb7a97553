"""The map in a real browser: filters, boxes, lassos and keys, and that an address shows the same."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from simsearch.reading.sets import encode
from tests.support.browser import Watched
from tests.support.explorer_site import GIVEN, NETWORK


@pytest.fixture(scope="module")
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """One page for all: each test opens the map afresh."""
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def module(name: str, call: str) -> str:
    """A script that imports a module as `m` and gives back what a call makes of what is `given`."""
    return f"async (given) => {{ const m = await import('/static/{name}.js'); return {call}; }}"


def ask(page: Page) -> dict[str, list[str]]:
    page.wait_for_timeout(400)  # the address changes once the map stands still
    return parse_qs(urlsplit(page.url).query)


def test_facets_and_years_filter_map_and_wall_together(watched: Watched) -> None:
    page = watched.goto("/map?colour=medium")
    expect(page.locator("#count")).to_have_text("24 artworks")
    expect(page.locator("#legend p")).to_have_count(2)
    medium = page.locator("details.facet", has_text="Medium")
    if medium.get_attribute("open") is None:
        medium.locator("summary").click()
    expect(medium.locator("li", has_text="etching").locator(".n")).to_have_text("8")
    medium.get_by_label("etching").check()
    expect(page.locator("#count")).to_have_text("8 of 24 artworks")
    expect(page.locator("#wall li")).to_have_count(8)
    page.get_by_label("From year").fill("1860")
    page.get_by_label("From year").press("Enter")
    expect(page.locator("#count")).to_have_text("4 of 24 artworks")
    expect(page.locator("#wall li")).to_have_count(4)
    # A facet's own ticks leave its counts as they are: these count what else could be ticked.
    expect(medium.locator("li", has_text="oil on canvas").locator(".n")).to_have_text("10")
    query = ask(page)
    assert query["is.medium"] == ["etching"]
    assert query["years"][0].startswith("1860..")
    shown = page.locator("#wall cite").all_text_contents()
    page.goto(page.url)
    page.wait_for_selector("canvas[data-ready]")
    expect(page.locator("#wall cite")).to_have_text(shown)
    page.get_by_role("button", name="etching: take").click()
    expect(page.locator("#count")).to_have_text("14 of 24 artworks")
    assert watched.faults == []


def test_few_years_far_from_all_others_are_named_and_leave_the_scale_alone(
    watched: Watched,
) -> None:
    page = watched.goto("/map")
    script = (
        "async (years) => (await import('/static/map-timeline.js')).scaleOf(Int16Array.from(years))"
    )
    span = list(range(1500, 1900))
    scale = page.evaluate(script, [2118, *span, -500, -300])
    assert scale == {
        "first": 1500,
        "last": 1899,
        "before": [-500, -300, 2],
        "after": [2118, 2118, 1],
    }
    plain = page.evaluate(
        script, [*span, 1985, 1450]
    )  # no farther than half the span of all others
    assert plain == {"first": 1450, "last": 1985, "before": None, "after": None}
    many = page.evaluate(
        script, [*span, *[-400] * 40]
    )  # a tenth of all years is no slip of the pen
    assert (many["first"], many["before"]) == (-400, None)


def test_a_box_and_a_lasso_select_and_the_selection_stays_on_another_map(watched: Watched) -> None:
    page = watched.goto("/map")
    area = page.locator("#map").bounding_box()
    assert area
    x, y, width, height = area["x"], area["y"], area["width"], area["height"]
    page.get_by_role("button", name="Box", exact=True).click()
    page.mouse.move(x + width / 2, y + 1)
    page.mouse.down()
    page.mouse.move(x + width - 1, y + height - 1, steps=3)
    page.mouse.up()
    expect(page.locator("#count")).to_contain_text("of 24")
    page.wait_for_timeout(600)
    right = page.locator("#count").text_content() or ""
    shown = sorted(page.locator("#wall cite").all_text_contents())
    page.get_by_role("combobox", name="Network").select_option(NETWORK)
    expect(page.locator("#count")).to_have_text(right)
    page.wait_for_timeout(600)  # the wall changes once the map stands still
    assert sorted(page.locator("#wall cite").all_text_contents()) == shown
    assert ask(page)["area"][0].startswith(GIVEN)
    page.get_by_role("button", name="drawn on the map").click()
    expect(page.locator("#count")).to_have_text("24 artworks")
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(x + 5, y + 5)
    page.mouse.down()
    for dx, dy in ((width - 10, 0), (width - 10, height - 10), (0, height - 10)):
        page.mouse.move(x + 5 + dx, y + 5 + dy, steps=4)
    page.mouse.up()
    expect(page.locator("#count")).to_have_text("24 of 24 artworks")
    assert watched.faults == []


def test_what_is_shown_becomes_a_set_and_is_found_again_on_the_map(watched: Watched) -> None:
    page = watched.goto("/map?is.medium=etching")
    expect(page.locator("#count")).to_have_text("8 of 24 artworks")
    page.get_by_role("button", name="Make a set").click()
    expect(page.locator("h1")).to_have_text("etching")
    expect(page.locator(".count")).to_have_text("8 artworks")
    assert parse_qs(urlsplit(page.url).query)["ids"] == [encode(range(0, 24, 3))]
    page.get_by_label("Name").fill("Mine")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("h1")).to_have_text("Mine")
    page.get_by_role("link", name="On the map").click()
    expect(page.locator("#count")).to_have_text("8 of 24 artworks")
    expect(page.locator("#chips")).to_contain_text("Set: Mine")
    assert watched.faults == []


def test_everything_is_done_by_keyboard(watched: Watched) -> None:
    page = watched.goto("/map")
    page.locator("#map").focus()
    page.keyboard.press("b")
    expect(page.locator("#status")).to_contain_text("arrows move it")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("selected")
    count = page.locator("#count").text_content()
    assert count is not None
    assert "of 24" in count
    page.keyboard.press("+")
    assert "at" in ask(page)
    page.keyboard.press("Enter")
    expect(page.locator(".label h1")).to_be_visible()
    assert watched.faults == []


def test_words_find_on_the_map_and_a_hostile_title_is_text(watched: Watched) -> None:
    page = watched.goto("/map?q=script")
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    expect(page.locator("#wall cite")).to_contain_text("<script>")
    assert "owned" not in page.title()
    page.locator("#wall a").click()
    expect(page.locator(".label h1")).to_be_visible()
    page.goto("/map?is.medium=no such&years=x..y&area=a~b~1_2&at=0_0_-1&colour=nothing")
    page.wait_for_selector("canvas[data-ready]")
    expect(page.locator("#count")).to_have_text("24 artworks")
    assert watched.faults == []


def test_the_map_is_drawn_without_webgl_too(browser: Browser, address: str) -> None:
    watched = Watched(browser, address)
    watched.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        " return kind === 'webgl' ? null : get.call(this, kind, ...rest); }"
    )
    page = watched.goto("/map?q=etude")
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v)"
    assert page.locator("#points").evaluate(drawn)
    assert watched.faults == []
    watched.close()


def test_one_wild_year_is_named_beside_the_bars(watched: Watched) -> None:
    page = watched.goto("/map")
    call = "given.map((years) => m.scaleOf(years))"
    usual = [1850 + number for number in range(24)]
    spread = [-2500, -1479, -1353, -500, -300, 1100, 1650, 1700, 1844, 1888]
    given = [[*usual, -2500], [*usual, 2118], spread, [1500, 1700, 1800, 1950], [1850, 1855]]
    scales = page.evaluate(module("map-timeline", call), given)
    assert [scale["before"] for scale in scales] == [[-2500, -2500, 1], None, None, None, None]
    assert [scale["after"] for scale in scales] == [None, [2118, 2118, 1], None, None, None]
    assert [(scale["first"], scale["last"]) for scale in scales[:2]] == [(1850, 1873)] * 2
    texts = {"1888": 1888, "-300": -300, "−300": -300, "300 BC": -300, "300 b.c.": -300, "x": None}
    texts |= {"123456": None, "-300 BC": None, "": None, "44 B.C.E.": -44}
    years = page.evaluate(module("map-years", "given.map((text) => m.yearOf(text))"), list(texts))
    assert years == list(texts.values())


def test_years_before_christ_are_typed_and_kept_in_the_address(watched: Watched) -> None:
    page = watched.goto("/map")
    page.get_by_label("From year").fill("300 B.C.")
    page.get_by_label("From year").press("Enter")
    expect(page.locator("#chips")).to_contain_text("300 B.C. to ")
    page.wait_for_timeout(400)
    assert parse_qs(urlsplit(page.url).query)["years"][0].startswith("-300..")
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    expect(page.locator("#chips")).to_contain_text("300 B.C. to ")
