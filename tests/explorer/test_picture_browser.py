"""Questions by picture in a real browser: years, the way back, failures and answers that come too late."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from tests.support.browser import Watched
from tests.support.explorer_site import GIVEN, NETWORK


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, reduced_motion="reduce")
    yield watched
    watched.close()


def first_dates(page: Page) -> list[int]:
    texts = page.locator("#answers .column .by").all_text_contents()
    return [int(year) for text in texts for year in re.findall(r"\d{4}", text)]


@pytest.mark.slow
def test_a_next_picture_is_asked_of_the_years_that_are_shown(
    watched: Watched, folder: Path
) -> None:
    page = watched.goto("/picture")
    page.get_by_label("Of years from").fill("1860")
    page.get_by_label("to", exact=True).fill("1863")
    for name in ("005.png", "006.png"):
        page.set_input_files("#picture", folder / "gallery" / name)
        expect(page.locator("#status")).to_contain_text("networks answered", timeout=60_000)
        expect(page.locator("#status")).to_contain_text("from 1860 to 1863")
        years = first_dates(page)
        assert years
        assert all(1860 <= year <= 1863 for year in years)
    page.get_by_label("to", exact=True).fill("1861")
    page.get_by_label("to", exact=True).press("Tab")  # the years count for what is shown already
    expect(page.locator("#status")).to_contain_text("from 1860 to 1861", timeout=60_000)
    assert set(first_dates(page)) == {1860, 1861}
    assert watched.faults == []


@pytest.mark.slow
def test_the_way_back_leads_to_picture_box_and_answers(watched: Watched, folder: Path) -> None:
    page = watched.goto("/picture")
    page.set_input_files("#picture", folder / "gallery" / "005.png")
    expect(page.locator("#status")).to_contain_text("networks answered", timeout=60_000)
    page.locator("#asked").get_by_label("Width").fill("55")
    page.get_by_role("button", name="Ask with this part").click()
    expect(page.locator("#status")).to_contain_text("for this part", timeout=60_000)
    shown = page.locator("#answers cite").all_text_contents()
    page.locator("#answers .column a").first.click()
    expect(page.locator(".label h1")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.go_back()
    for _ in range(2):
        expect(page.locator("#answers cite")).to_have_text(shown)
        expect(page.locator("#asked img")).to_be_visible()
        expect(page.locator("#asked").get_by_label("Width")).to_have_value("55")
        assert not [url for url in asked if "/query" in url]  # the browser kept them
        page.reload()
    expect(page.locator("#answers cite")).to_have_text(shown)
    page.get_by_role("link", name="Your picture").click()  # a fresh page
    expect(page.locator(".drop[data-ready]")).to_be_visible()
    expect(page.locator("#answers .column")).to_have_count(0)
    assert watched.faults == []


@pytest.mark.slow
def test_a_question_by_picture_that_fails_is_asked_again(watched: Watched, folder: Path) -> None:
    page = watched.goto("/picture")
    page.route("**/api/v1/query*", lambda route: route.abort())
    page.set_input_files("#picture", folder / "gallery" / "005.png")
    expect(page.locator("#status")).to_contain_text("The explorer does not answer")
    expect(page.locator(".progress")).to_be_hidden()
    page.unroute("**/api/v1/query*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_contain_text("networks answered", timeout=60_000)
    first, second = quote("a/001?&é"), quote("a/002?&e")
    page.route("**/alike/parts*", lambda route: route.abort())
    page.goto(f"/alike?id={first}&other={second}&space={NETWORK}")
    expect(page.locator("#parts")).to_contain_text("cannot be shown: the explorer does not answer.")
    page.unroute("**/alike/parts*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("svg.parts.beside .match").first).to_be_visible(timeout=60_000)
    page.route("**/zoom/tiles.json*", lambda route: route.abort())
    page.goto(f"/zoom?id={first}")
    expect(page.locator("#status")).to_contain_text("Only a small picture can be shown")
    page.unroute("**/zoom/tiles.json*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status")).to_contain_text("pixels")
    assert watched.thrown == []


def test_an_old_answer_about_a_picture_comes_too_late(watched: Watched, folder: Path) -> None:
    line = {"space": GIVEN, "trained": True, "seconds": 0, "error": None, "set": "", "matches": []}
    page = watched.goto("/picture")
    held: list[Route] = []

    def answer(route: Route, name: str) -> None:
        text = json.dumps(line | {"space": name}) + "\n"
        route.fulfill(body=text, content_type="application/x-ndjson")

    page.route(
        "**/api/v1/query*", lambda route: answer(route, "new") if held else held.append(route)
    )
    page.set_input_files("#picture", folder / "gallery" / "005.png")
    page.wait_for_timeout(300)
    page.set_input_files("#picture", folder / "gallery" / "006.png")
    expect(page.locator("#answers .column")).to_have_count(1)
    with contextlib.suppress(Error):  # the page may have given it up
        answer(held[0], "old")
    page.wait_for_timeout(300)
    expect(page.locator("#answers .column")).to_have_count(1)
    expect(page.locator("#answers")).to_contain_text("new")
    assert watched.faults == []


@pytest.mark.slow
def test_a_dropped_file_of_a_type_that_the_browser_does_not_know_is_asked_about(
    watched: Watched,
) -> None:
    page = watched.goto("/picture")
    page.route("**/api/v1/query*", lambda route: route.fulfill(status=400, json={"error": "asked"}))
    drop = """([name, type]) => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], name, { type }));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
    }"""
    for name, kind, words in (
        ("a.jp2", "", "asked"),
        ("a.txt", "text/plain", "That is not a picture file"),
        ("a.tif", "image/tiff", "asked"),
    ):
        page.evaluate(drop, [name, kind])
        expect(page.locator("#status")).to_contain_text(words)
    assert watched.thrown == []
