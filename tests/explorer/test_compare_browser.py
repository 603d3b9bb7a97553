"""Two pictures compared in a real browser: what is seen on the screen, by keys, by mouse, by an address."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched
from tests.support.explorer_pairs import COPY, FIRST, FLAT, MARK, SCALE, SIZE, TRUE
from tests.support.explorer_site import need_chromium

PAIR = f"/compare?id={quote(FIRST)}&other={quote(COPY)}"
AT_MARK = f"&x={MARK[0] / SIZE[0]}&y={MARK[1] / SIZE[1]}"

Place = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def address(pairs: httpx.Client) -> str:
    need_chromium()
    return str(pairs.base_url).rstrip("/")


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address, viewport={"width": 1300, "height": 900})
    yield watched
    watched.close()


def opened(watched: Watched, view: str) -> Page:
    page = watched.goto(view)
    expect(page.locator("#compare")).to_have_attribute("data-ready", "1")
    page.locator("#compare").focus()
    return page


def seen(page: Page, place: str) -> npt.NDArray[np.int64]:
    """The pixels of an element, once all is drawn."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(100)
    image = Image.open(io.BytesIO(page.locator(place).screenshot())).convert("RGB")
    return np.asarray(image).astype(np.int64)


def mark(page: Page, place: str) -> Place:
    """Where the middle of the mark lies, in pixels from the middle of an element."""
    pixels = seen(page, place)
    magenta = (pixels[..., 0] > 190) & (pixels[..., 1] < 60) & (pixels[..., 2] > 190)
    rows, columns = np.nonzero(magenta)
    assert len(rows) > 50
    middle = np.array([columns.mean(), rows.mean()]) + 0.5
    return middle - np.array(pixels.shape[1::-1]) / 2


def test_a_point_of_one_picture_lies_on_its_partner_in_the_other(watched: Watched) -> None:
    page = opened(watched, f"{PAIR}&mode=fade&at=0&x=0.45&y=0.5&zoom=2")
    first = mark(page, "#compare")
    assert np.abs(first).max() > 20
    for _ in range(10):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#at")).to_have_value("100")
    page.evaluate("document.querySelector('.pane canvas').style.visibility = 'hidden'")
    assert np.hypot(*(mark(page, "#compare") - first)) < 2
    assert watched.faults == []


def test_both_pictures_keep_one_place_and_one_zoom(watched: Watched) -> None:
    page = opened(watched, PAIR + AT_MARK)
    first, other = (f".pane:nth-of-type({place})" for place in (1, 2))
    turn = TRUE[:2, :2] / SCALE

    def hold() -> Place:
        away = mark(page, first)
        assert mark(page, other) == pytest.approx(turn @ away, abs=2)
        return away

    assert hold() == pytest.approx([0, 0], abs=2)
    for key in ("+", "+", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#compare")).to_have_attribute("data-zoom", "2.250")
    assert hold() == pytest.approx([-80, -80], abs=2)
    box = page.locator(other).bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] - 30)
    page.mouse.up()
    page.mouse.move(5, 5)
    assert mark(page, other) == pytest.approx(turn @ [-80, -80] + [60, -30], abs=2)
    hold()
    assert watched.faults == []


def test_an_address_shows_the_same_again(watched: Watched) -> None:
    page = opened(watched, PAIR)
    page.get_by_role("button", name="Wipe").click()
    page.locator("#compare").focus()
    for key in ("+", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_url(lambda url: "at=0.30" in url and "mode=wipe" in url and "zoom=1.5&" in url)
    page.wait_for_timeout(300)  # the address follows 200 ms after a key
    shown = seen(page, "#compare")
    query = parse_qs(urlsplit(page.url).query)
    assert query["id"] == [FIRST]
    assert "snapshot" in query
    opened(watched, page.url)
    expect(page.get_by_role("button", name="Wipe")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#at")).to_have_value("30")
    assert np.abs(seen(page, "#compare") - shown).mean() < 1
    assert watched.faults == []


def test_an_address_of_a_place_far_off_is_brought_into_reach_and_can_be_opened_again(
    watched: Watched,
) -> None:
    page = opened(watched, f"{PAIR}&zoom=0.00001&x=99&y=-0.31234567&mode=wipe&at=0.337")
    page.wait_for_url(lambda url: "x=99" not in url and "at=0.34" in url)
    zoom = page.locator("#compare").get_attribute("data-zoom")
    assert zoom is not None
    assert float(zoom) > 0.1
    kept = parse_qs(urlsplit(page.url).query)
    opened(watched, page.url)
    page.wait_for_timeout(400)
    assert parse_qs(urlsplit(page.url).query) == kept
    assert page.locator("#compare").get_attribute("data-zoom") == zoom
    assert watched.faults == []


def test_the_button_of_the_menu_moves_nothing(watched: Watched) -> None:
    page = opened(watched, PAIR + AT_MARK)
    before = mark(page, ".pane:nth-of-type(1)")
    box = page.locator(".pane:nth-of-type(1)").bounding_box()
    assert box
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 190, box["y"] + 150)
    assert mark(page, ".pane:nth-of-type(1)") == pytest.approx(before, abs=1)
    page.mouse.up(button="right")


def test_flicker_is_stopped_by_a_key_and_does_not_begin_for_who_wants_no_motion(
    browser: Browser, address: str, watched: Watched
) -> None:
    page = opened(watched, PAIR)
    viewer = page.locator("#compare")
    page.keyboard.press("4")
    expect(viewer).to_have_attribute("data-front", "0")
    expect(viewer).to_have_attribute("data-front", "1")
    page.keyboard.press(" ")
    expect(viewer).to_have_attribute("data-flickers", "false")
    page.wait_for_timeout(100)
    front = viewer.get_attribute("data-front")
    page.wait_for_timeout(1500)
    expect(viewer).to_have_attribute("data-front", front or "")
    page.keyboard.press(" ")
    expect(viewer).to_have_attribute("data-front", "1" if front == "0" else "0")
    still = Watched(browser, address, reduced_motion="reduce")
    opened(still, f"{PAIR}&mode=flicker")
    expect(still.page.locator("#compare")).to_have_attribute("data-flickers", "false")
    still.close()
    assert watched.faults == []


def test_without_a_transform_both_are_shown_beside_one_another(watched: Watched) -> None:
    page = opened(watched, f"/compare?id={quote(FIRST)}&other={quote(FLAT)}&mode=fade")
    page.keyboard.press("2")
    page.keyboard.press("+")
    expect(page.locator("#compare")).to_have_attribute("data-zoom", "1.500")
    expect(page.locator("#compare")).to_have_attribute("data-mode", "side")
    gray = seen(page, ".pane:nth-of-type(2)")
    assert np.abs(gray - 128).max(axis=2).mean() < 40
    assert watched.faults == []
