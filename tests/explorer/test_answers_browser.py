"""Answers in a real browser: late ones, failed ones, and addresses that show again what they were copied
from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Held, Watched
from tests.support.explorer_site import GIVEN, NETWORK
from tests.support.search_cases import NOTHING_ASKED, SEARCHES

POINTS = 100  # of a lasso: more than the 60 corners that its address holds


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def wall(page: Page) -> list[str]:
    page.wait_for_timeout(700)  # the wall and the address follow when nothing moves
    return page.locator("#wall cite").all_text_contents()


def script(module: str, call: str) -> str:
    return f"async (given) => {{ const m = await import('/static/{module}.js'); return {call}; }}"


def lasso(page: Page, shape: Callable[[float], float], points: int = POINTS) -> None:
    """Draw around the middle of the map; `shape` gives a distance, 0 to 1, for each share of the way."""
    area = page.locator("#map").bounding_box()
    assert area
    page.get_by_role("button", name="Lasso").click()
    for number in range(points + 1):
        angle = 2 * math.pi * number / points
        reach = shape(number / points)
        x = area["x"] + area["width"] * (0.5 + 0.49 * reach * math.cos(angle))
        y = area["y"] + area["height"] * (0.5 + 0.49 * reach * math.sin(angle))
        page.mouse.move(x, y)
        if not number:
            page.mouse.down()
    page.mouse.up()


def test_the_rule_of_searching_is_the_same_in_a_browser(watched: Watched) -> None:
    page = watched.goto("/sets")
    cases = [[query, fields] for query, fields, _ in SEARCHES]
    call = "given.map(([q, f]) => m.matches(m.searchTerms(q), m.searchText(f)))"
    assert page.evaluate(script("words", call), cases) == [finds for *_, finds in SEARCHES]
    call = "given.map((q) => m.searchTerms(q))"
    assert page.evaluate(script("words", call), NOTHING_ASKED) == [None] * len(NOTHING_ASKED)


def test_an_area_selects_what_its_address_selects(watched: Watched) -> None:
    """A law over random shapes: of many corners, with edges far outside and very small ones."""
    page = watched.goto("/sets")
    law = """(() => {
      let seed = 1;
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      const places = Uint16Array.from({ length: 4000 }, () => random() * 65536);
      const wrong = [];
      for (let round = 0; round < 60; round++) {
        const corners = [], size = [2, 0.4, 0.01][round % 3], [cx, cy] = [random(), random()];
        const count = 3 + Math.floor(random() * 400);
        for (let i = 0; i < count; i++) {
          const reach = size * (0.5 + random() / 2), angle = (2 * Math.PI * i) / count;
          corners.push(cx + reach * Math.cos(angle), cy + reach * Math.sin(angle));
        }
        const kept = m.settled({ space: "a+b", method: "pca", corners });
        const again = m.areaOf(decodeURIComponent(encodeURIComponent(m.areaText(kept))));
        const [one, two] = [kept, again].map((area) => m.numbersWithin(places, area.corners).join());
        if (one !== two || m.areaText(kept) !== m.areaText(again)) wrong.push(round);
      }
      return wrong;
    })()"""
    assert page.evaluate(script("map-area", law)) == []


def test_a_lasso_is_the_same_after_a_reload_for_another_and_on_the_way_back(
    watched: Watched, browser: Browser, address: str
) -> None:
    page = watched.goto("/map")
    lasso(page, lambda share: 0.55 + 0.4 * (round(share * POINTS) % 2))
    expect(page.locator("#status")).to_contain_text("selected")
    count, shown = page.locator("#count").text_content() or "", wall(page)
    assert "of 24" in count
    assert parse_qs(urlsplit(page.url).query)["snapshot"]
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    expect(page.locator("#count")).to_have_text(count)
    assert wall(page) == shown
    other = Watched(browser, address, reduced_motion="reduce")
    other.goto(page.url)
    expect(other.page.locator("#count")).to_have_text(count)
    other.close()
    page.locator("#wall a").first.click()
    expect(page.locator(".label h1")).to_be_visible()
    page.go_back()
    page.wait_for_selector("canvas[data-ready]")
    expect(page.locator("#count")).to_have_text(count)
    assert wall(page) == shown
    assert watched.faults == []


def test_a_place_on_the_map_is_the_same_after_a_reload(watched: Watched) -> None:
    page = watched.goto("/map")
    page.get_by_role("button", name="Zoom in").click()
    page.locator("#map").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "+"):
        page.keyboard.press(key)
    shown = wall(page)
    asked = page.url
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    assert wall(page) == shown
    assert page.url == asked
    page.get_by_role("button", name="Whole").click()
    page.wait_for_timeout(400)
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    assert wall(page)


def test_an_old_answer_of_the_search_comes_too_late(watched: Watched) -> None:
    page = watched.goto("/map")
    find = page.get_by_label("Find")
    slow = Held(page, re.compile("/map/found.*q=etude"))
    find.fill("etude")
    page.wait_for_timeout(400)
    assert len(slow) == 1
    find.fill("script")
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    slow.let_go()
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    assert wall(page)
    assert parse_qs(urlsplit(page.url).query)["q"] == ["script"]
    slow = Held(page, re.compile("/map/found.*q=oil"))
    find.fill("oil")
    page.wait_for_timeout(400)
    page.get_by_role("button", name="script").click()  # nothing is looked for any more
    expect(page.locator("#count")).to_have_text("24 artworks")
    assert len(slow) == 1
    slow.let_go()
    expect(page.locator("#count")).to_have_text("24 artworks")
    assert watched.faults == []


def test_the_map_of_a_network_that_is_no_longer_chosen_comes_too_late(watched: Watched) -> None:
    page = watched.goto("/map")
    shown = wall(page)
    slow = Held(page, re.compile(f"/map/(points|regions).*{NETWORK}"))
    chosen = page.get_by_role("combobox", name="Network")
    chosen.select_option(NETWORK)
    page.wait_for_timeout(300)
    assert len(slow) >= 1
    chosen.select_option(GIVEN)
    slow.let_go()
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert wall(page) == shown
    chosen.select_option(NETWORK)
    assert wall(page) != shown
    assert watched.faults == []


def test_a_point_opens_once_its_card_has_come(watched: Watched) -> None:
    page = watched.page
    slow = Held(page, "**/map/cards*")
    page.goto("/map")
    expect(page.locator("#count")).to_have_text("24 artworks")
    page.wait_for_timeout(400)
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert len(slow) >= 1
    slow.let_go()
    expect(page.locator(".label h1")).to_be_visible()
    assert watched.faults == []


def test_cards_that_do_not_come_are_missed_in_words_and_asked_for_again(watched: Watched) -> None:
    page = watched.page
    page.route("**/map/cards*", lambda route: route.abort())
    page.goto("/map")
    trouble = page.locator("#walltrouble")
    expect(trouble).to_contain_text("The artworks cannot be shown: the explorer does not answer.")
    expect(page.locator("#trouble")).to_contain_text("The pictures on the map cannot be shown")
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_contain_text("The artwork cannot be opened")
    box = page.locator("#map").bounding_box()
    assert box
    page.unroute("**/map/cards*")
    trouble.get_by_role("button", name="Try again").click()
    expect(page.locator("#wall li")).to_have_count(24)
    expect(trouble).to_be_empty()
    assert watched.thrown == []


def test_a_search_that_fails_says_so_and_is_asked_again(watched: Watched) -> None:
    page = watched.goto("/map?is.medium=etching")
    page.route("**/map/found*", lambda route: route.fulfill(status=500, body="no"))
    page.get_by_label("Find").fill("script")
    expect(page.locator("#trouble")).to_contain_text(
        "The search cannot be answered: the explorer answered 500."
    )
    expect(page.locator("#count")).to_have_text("8 of 24 artworks")  # as it was
    page.unroute("**/map/found*")
    page.locator("#trouble").get_by_role("button", name="Try again").click()
    expect(page.locator("#count")).to_have_text("1 of 24 artworks")
    expect(page.locator("#trouble p")).to_be_empty()
    page.route("**/map/points*", lambda route: route.abort())
    page.get_by_role("combobox", name="Network").select_option(NETWORK)
    expect(page.locator("#trouble")).to_contain_text("The map cannot be shown")
    page.unroute("**/map/points*")
    page.locator("#trouble").get_by_role("button", name="Try again").click()
    expect(page.locator("#trouble p").first).to_be_empty()
    assert watched.thrown == []


def test_escape_cancels_a_drawing_and_its_words(watched: Watched) -> None:
    page = watched.goto("/map")
    canvas = page.locator("#map")
    canvas.focus()
    page.keyboard.press("b")
    expect(page.locator("#status")).to_contain_text("arrows move it")
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_be_empty()
    page.keyboard.press("Shift+ArrowRight")  # there is no box any more: the map moves
    expect(page.locator("#count")).to_have_text("24 artworks")
    for mode in ("Box", "Lasso"):
        page.get_by_role("button", name=mode, exact=True).click()
        area = canvas.bounding_box()
        assert area
        before = page.url
        page.mouse.move(area["x"] + 20, area["y"] + 60)
        page.mouse.down()
        page.mouse.move(area["x"] + 200, area["y"] + 60, steps=4)
        page.mouse.move(area["x"] + 200, area["y"] + 300, steps=4)
        page.keyboard.press("Escape")
        page.mouse.move(area["x"] + 300, area["y"] + 200, steps=4)
        page.mouse.up()
        page.wait_for_timeout(500)
        expect(page.locator("#count")).to_have_text("24 artworks")
        expect(page.locator("#status")).to_be_empty()
        assert page.url == before or mode == "Box"  # the hand that drew did not move the map
    assert watched.faults == []


UNKNOWN = [
    {
        "colour=nothing": "no column “nothing”",
        "years=x..y": "no span of years in “x..y”",
        "at=0_0_-1": "no place on the map in “0_0_-1”",
        "area=a~b~1_2": "no area of a map that is here in “a~b~1_2”",
        "set=!!": "no set of this snapshot in “!!”",
        "is.medium=no such": "asks for medium: no such",
        "is.kind=round": "asks for kind: round",
    },
    {
        "area=gone~pca~0_0_9000_0_9000_9000": "no area of a map that is here in “gone~pca",
        "set=_____w8": "no set of this snapshot in",
    },
]


def test_what_an_address_asks_for_in_vain_is_said_and_stays_in_the_address(
    watched: Watched,
) -> None:
    for unknown in UNKNOWN:
        page = watched.goto("/map?" + "&".join(unknown))
        expect(page.locator("#count")).to_have_text("24 artworks")
        for words in unknown.values():
            expect(page.locator("#notes")).to_contain_text(words)
        page.wait_for_timeout(400)
        query = parse_qs(urlsplit(page.url).query)
        for asked in unknown:
            name, _, value = asked.partition("=")
            assert query[name] == [value]
    page = watched.goto("/map?" + "&".join(list(UNKNOWN[0])[:4]) + "&is.medium=etching")
    expect(page.locator("#notes p")).to_have_count(4)
    expect(page.locator("#count")).to_have_text("8 of 24 artworks")
    page.locator("#notes").get_by_role("button", name="Leave it out").first.click()
    expect(page.locator("#notes p")).to_have_count(3)
    page.get_by_role("combobox", name="Colour by").select_option("medium")
    expect(page.locator("#notes")).not_to_contain_text("column")
    assert watched.faults == []
