"""A static copy in a real browser: its map, its search, and what it says when opened as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from simsearch.explorer.export import export_site
from simsearch.snapshots.snapshot import Snapshot
from tests.support.browser import Watched
from tests.support.explorer_site import GIVEN, NETWORK, settings
from tests.support.serving import serving


@pytest.fixture(scope="module")
def copy(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("static") / "copy"
    config = settings(snapshot.storage.root)
    export_site(config, [config.root], str(folder))
    return folder


@pytest.fixture
def watched(browser: Browser, copy: Path) -> Iterator[Watched]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(copy))
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as address:
        watched = Watched(browser, address, reduced_motion="reduce")
        yield watched
        watched.close()


def shown(page: Page) -> list[str]:
    page.wait_for_timeout(700)
    return page.locator(".wall cite").all_text_contents()


def test_it_has_the_same_map_and_an_address_gives_it_back(watched: Watched) -> None:
    page = watched.goto("/map.html?is.medium=etching&q=etude 1")
    expect(page.locator("#count")).to_have_text("7 of 24 artworks")
    page.get_by_role("combobox", name="Network").select_option(NETWORK)
    expect(page.locator("#wall img")).to_have_count(7)
    page.wait_for_load_state("networkidle")
    before = shown(page)
    page.reload()
    page.wait_for_selector("canvas[data-ready]")
    expect(page.get_by_role("combobox", name="Network")).to_have_value(NETWORK)
    assert shown(page) == before
    watched.goto("/map.html?space=unheard&method=of")
    expect(page.get_by_role("combobox", name="Network")).to_have_value(GIVEN)
    expect(page.locator("#notes")).to_contain_text("no map of the network “unheard”")
    expect(page.locator("#notes")).to_contain_text("no map by the layout “of”")
    assert "snapshot" not in page.url
    assert watched.faults == []


def test_its_search_finds_what_the_explorer_finds_and_is_in_its_address(
    watched: Watched, site: httpx.Client
) -> None:
    page = watched.goto("/index.html")
    for query in ("etude, 1857", "“etude no 1”", "d'", "oil", "BO & co", "!?"):
        wanted = site.get("/api/v1/artworks", params={"q": query, "size": 96}).json()
        page.locator("#q").fill(query)
        expect(page.locator(".count")).to_contain_text(f"{wanted['total']} of 24 artworks")
        titles = [row["title"] for row in wanted["artworks"]]
        assert shown(page) == titles
        page.reload()
        expect(page.locator("#q")).to_have_value(query)
        expect(page.locator(".wall cite")).to_have_text(titles)
    page.locator("#q").fill("")
    expect(page.locator(".wall li")).to_have_count(24)
    assert "q=" not in page.url
    assert watched.faults == []


def test_a_search_without_its_list_says_so_and_is_asked_again(watched: Watched) -> None:
    page = watched.goto("/index.html")
    page.route("**/artworks.json", lambda route: route.abort())
    page.locator("#q").fill("etude")
    expect(page.locator(".count")).to_contain_text("The search cannot be answered")
    page.unroute("**/artworks.json")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".count")).to_contain_text("23 of 24 artworks")
    assert watched.thrown == []


def test_opened_as_a_file_it_says_what_it_needs(browser: Browser, copy: Path) -> None:
    page = browser.new_page()
    page.goto((copy / "map.html").as_uri())
    expect(page.locator("#asfile")).to_contain_text("python3 -m http.server")
    expect(page.locator("#count")).to_have_text("The map needs a web server")
    page.goto((copy / "index.html").as_uri())
    expect(page.locator("#asfile")).to_be_visible()
    page.locator(".wall a").first.click()
    expect(page.locator(".label h1")).to_be_visible()
    expect(page.locator(".column").first).to_be_visible()
    assert re.match("file:", page.url)
    page.close()


def test_on_a_web_server_it_does_not_speak_of_files(watched: Watched) -> None:
    expect(watched.goto("/index.html").locator("#asfile")).to_be_hidden()
