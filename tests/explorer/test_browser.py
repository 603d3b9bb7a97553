"""The explorer in a real browser, Debian's Chromium driven by Playwright: what a curator does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PHONE, Watched, serious_faults
from tests.support.explorer_site import GIVEN, HOSTILE, NETWORK, PROFILES

VIEWS = {
    "search": "/?q=etude",
    "artwork": "/artwork?id=a/000?%26e",
    "copies": "/artwork?id=a/000?%26e&copies=1",
    "picture": "/picture",
    "map": "/map?colour=medium",
    "set": "/set?ids=AAIC&name=Three",
    "sets": "/sets",
    "recovery": "/recovery",
    "runs": "/runs",
    "api": "/api",
}


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address)
    yield watched
    watched.page.context.close()


@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_no_serious_fault_in_light_or_dark(
    browser: Browser, address: str, name: str
) -> None:
    watched = Watched(browser, address, bypass_csp=True)
    serious = serious_faults(watched.goto(VIEWS[name]))
    watched.close()
    assert serious == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_phone_shows_every_view_without_sideways_scrolling(
    browser: Browser, address: str, name: str
) -> None:
    watched = Watched(browser, address, viewport=PHONE, has_touch=True, is_mobile=True)
    page = watched.goto(VIEWS[name])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert watched.faults == []
    page.context.close()


def test_a_search_is_typed_paged_and_opened_by_keyboard(watched: Watched) -> None:
    page = watched.goto("/")
    expect(page.locator(".wall li")).to_have_count(24)
    page.keyboard.press("/")
    page.keyboard.type("etude 1857")
    page.keyboard.press("Enter")
    expect(page.locator(".wall li")).to_have_count(1)
    page.locator(".wall a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Étude no. 7")
    page.wait_for_load_state("networkidle")  # a script that loads after the page handles the keys
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("Étude no. 8")
    assert watched.faults == []


def test_a_deep_link_restores_the_state_with_its_snapshot(watched: Watched) -> None:
    page = watched.goto("/recovery")
    page.get_by_role("link", name="F1", exact=True).click()
    page.get_by_role("link", name="3", exact=True).click()
    page.locator(f'.chart a[href*="space={GIVEN}"][href*="{PROFILES[-1]}"]').click()
    expect(page.locator("#missed")).to_have_text(f"Copies not found by {GIVEN}: {PROFILES[-1]}")
    query = parse_qs(urlsplit(page.url).query)
    assert (query["k"], query["metric"]) == (["3"], ["f1"])
    assert query["snapshot"]
    shown = page.locator(".missed li").count()
    page.goto(page.url)
    expect(page.locator(".missed li")).to_have_count(shown)
    assert watched.faults == []


def test_a_hostile_title_runs_nothing(watched: Watched) -> None:
    for view in (VIEWS["artwork"], "/?title=script", VIEWS["map"]):
        page = watched.goto(view)
        assert "owned" not in page.title() or view == VIEWS["artwork"]
    page = watched.goto(VIEWS["artwork"])
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.locator("h1 script, h1 img").count() == 0
    assert watched.faults == []


def test_spaces_stand_side_by_side_and_copies_are_marked(watched: Watched) -> None:
    page = watched.goto(VIEWS["copies"])
    left, right = page.locator(".column").all()
    left_box, right_box = left.bounding_box(), right.bounding_box()
    assert left_box
    assert right_box
    assert left_box["y"] == right_box["y"]
    assert left_box["x"] + left_box["width"] <= right_box["x"] + 1
    expect(left.locator("li.own .tag.copy").first).to_contain_text("its own copy")
    expect(page.locator(".score").first).to_have_text("1.0000")
    page.get_by_role("checkbox", name=NETWORK).uncheck()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".column")).to_have_count(1)
    assert watched.faults == []


def test_an_uploaded_picture_is_answered_by_every_space(watched: Watched, folder: Path) -> None:
    page = watched.goto("/picture")
    page.set_input_files("#picture", folder / "gallery" / "005.png")
    expect(page.locator("#answers .column")).to_have_count(2, timeout=60_000)
    column = page.locator("#answers .column", has_text=NETWORK)
    expect(column.locator("li").first).to_contain_text("Étude no. 5")
    expect(column.locator(".score").first).to_have_text("1.0000")
    expect(page.locator("#answers .column", has_text=GIVEN).locator(".error")).to_be_visible()
    assert watched.faults == []


def test_a_file_that_is_no_picture_is_answered_in_words(watched: Watched, tmp_path: Path) -> None:
    wrong = tmp_path / "letter.png"
    wrong.write_text("Dear museum")
    page = watched.goto("/picture")
    page.set_input_files("#picture", wrong)
    expect(page.locator("#status")).to_contain_text("not a usable picture")


def test_the_legend_hides_a_space(watched: Watched) -> None:
    page = watched.goto("/recovery")
    bars = page.locator(f'.chart [data-series="{GIVEN}"]')
    expect(bars.first).to_be_visible()
    page.locator(f'#legend button[data-series="{GIVEN}"]').click()
    expect(bars.first).to_be_hidden()


def test_pages_are_read_without_a_script(browser: Browser, address: str) -> None:
    watched = Watched(browser, address, java_script_enabled=False)
    page = watched.goto("/?q=etude")
    assert page.locator(".wall li").count() == 23
    watched.goto("/recovery")
    assert page.locator("[aria-labelledby=by-profile] .bar").count() == 2 * len(PROFILES)
    page.context.close()
