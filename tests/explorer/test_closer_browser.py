"""Findings and the closer look in a real browser: by mouse, by finger, by keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from simsearch.explorer.server.app import create_app
from tests.support.browser import PHONE, Watched, serious_faults
from tests.support.explorer_site import (
    NETWORK,
    Rows,
    need_chromium,
    publish_gallery,
    running,
    settings,
)
from tests.support.gallery import FINDINGS, picture_bytes

FIRST, SECOND = quote("a/001?&é"), quote("a/002?&e")
VIEWS = (
    *FINDINGS,
    f"/walk?id={FIRST}&to={SECOND}",
    f"/detail?id={FIRST}",
    f"/alike?id={FIRST}&other={SECOND}&space={NETWORK}",
    f"/zoom?id={FIRST}",
    f"/compare?id={quote('a/004?&e')}&other={quote('a/005?&é')}&mode=wipe",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gallery with a snapshot before it, so that something changed."""
    need_chromium()
    folder = tmp_path_factory.mktemp("closer")
    config = settings(str(folder / "data"))
    publish_gallery(settings(config.root, "seed=9"), folder / "gallery", count=10, edit=_retitled)
    publish_gallery(config, folder / "gallery", count=12)
    with running(create_app(config, [config.root])) as served_at:
        yield served_at


def _retitled(rows: Rows) -> None:
    rows[3]["title"] = "Before"


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address)
    yield watched
    watched.close()


def test_axe_finds_no_serious_fault_in_light_or_dark(browser: Browser, address: str) -> None:
    watched = Watched(browser, address, bypass_csp=True)
    faults = {view: serious_faults(watched.goto(view)) for view in VIEWS}
    watched.close()
    assert {view: problems for view, problems in faults.items() if problems} == {}


def test_a_phone_shows_every_view_without_sideways_scrolling(
    browser: Browser, address: str
) -> None:
    watched = Watched(browser, address, viewport=PHONE, has_touch=True, is_mobile=True)
    widths = {
        view: watched.goto(view).evaluate("document.documentElement.scrollWidth") for view in VIEWS
    }
    assert {view: width for view, width in widths.items() if width > PHONE["width"]} == {}
    assert watched.faults == []
    watched.close()


def box_of(page: Page) -> list[float]:
    return [float(page.locator(f"[name={name}]").input_value()) for name in SIDES]


SIDES = ("left", "top", "width", "height")


def test_a_box_is_drawn_by_mouse_and_moved_by_keys_and_asked_with(watched: Watched) -> None:
    page = watched.goto(f"/detail?id={FIRST}")
    frame = page.locator(".boxed").bounding_box()
    assert frame
    at = [
        (frame["x"] + frame["width"] * share, frame["y"] + frame["height"] * share)
        for share in (0.05, 0.25, 0.75)
    ]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[2])
    page.mouse.up()
    assert box_of(page) == pytest.approx([5, 5, 70, 70], abs=1)
    page.mouse.move(*at[1])  # its middle: it moves
    page.mouse.down()
    page.mouse.move(at[1][0] + frame["width"] * 0.2, at[1][1])
    page.mouse.up()
    assert box_of(page) == pytest.approx([25, 5, 70, 70], abs=1)
    box = page.locator(".box")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    assert box_of(page) == pytest.approx([25, 7, 68, 70], abs=1)
    page.keyboard.press("Enter")
    column = page.locator("#answers .column", has_text=NETWORK)
    expect(column.locator("li").first).to_be_visible(timeout=60_000)
    first = column.locator(".score").first.inner_text()
    assert parse_qs(urlsplit(page.url).query)["width"] == [
        page.locator("[name=width]").input_value()
    ]
    page.goto(page.url)  # the address asks the same again
    expect(column.locator(".score").first).to_have_text(first, timeout=60_000)
    page.get_by_label("Of years from").fill("1855")
    page.keyboard.press("Enter")
    expect(column.locator("li")).to_have_count(7, timeout=60_000)  # 1855 to 1861
    expect(page).to_have_url(re.compile("year_from=1855"))
    column.get_by_role("link", name="Make a set of these").click()
    expect(page.locator(".count")).to_have_text("7 artworks")
    assert watched.faults == []


def test_a_part_of_ones_own_picture_is_asked_with(watched: Watched, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    picture.write_bytes(picture_bytes(300, 200))
    page = watched.goto("/picture")
    page.set_input_files("#picture", picture)
    column = page.locator("#answers .column", has_text=NETWORK)
    expect(column.locator("li").first).to_be_visible(timeout=60_000)
    with page.expect_request(lambda request: "width=40" in request.url) as asked:
        page.get_by_role("button", name="Ask with this part").click()
    assert asked.value.method == "POST"
    expect(column.locator("li").first).to_be_visible(timeout=60_000)
    assert watched.faults == []


def test_matching_parts_come_once_the_page_stands(watched: Watched) -> None:
    page = watched.goto(f"/artwork?id={FIRST}")
    page.locator(".column", has_text=NETWORK).locator("a.why").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("svg.parts.beside .match").first).to_be_visible(timeout=60_000)
    expect(page.locator("svg.parts.stacked")).to_be_hidden()
    expect(page.locator(".partscores li").first).to_contain_text("1")
    assert watched.faults == []


def test_a_walk_is_taken_by_keys_alone(watched: Watched) -> None:
    page = watched.goto(f"/artwork?id={FIRST}")
    page.get_by_role("link", name="Walk to another").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/walk"))
    page.wait_for_load_state("networkidle")  # the keys are a script's, which comes after the page
    page.keyboard.press("/")
    page.keyboard.type("no. 9")
    page.keyboard.press("Enter")
    expect(page.locator(".wall a")).to_have_count(1)
    page.locator(".wall a").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".way li").last).to_contain_text("Étude no. 9")
    assert watched.faults == []


def test_a_picture_is_zoomed_by_keys_and_the_part_in_sight_is_asked_with(watched: Watched) -> None:
    page = watched.goto(f"/zoom?id={FIRST}")
    canvas = page.locator("#zoom")
    expect(page.locator("#status")).to_contain_text("pixels")
    canvas.focus()
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(canvas).to_have_attribute("data-zoom", "3.375")
    # The address follows 200 ms after a key: a slow machine writes it before the arrow too.
    expect(page).to_have_url(re.compile(r"[?&]x=0\.(?!5&)[5-9].*zoom=3\.375&"))
    page.keyboard.press("0")
    expect(canvas).to_have_attribute("data-zoom", "1.000")
    page.keyboard.press("+")
    ask = page.get_by_role("link", name="Ask with what you see")
    expect(ask).to_have_attribute("href", re.compile("width="))
    ask.click()
    expect(page.locator("#answers .column").first).to_be_visible(timeout=60_000)
    assert watched.faults == []
