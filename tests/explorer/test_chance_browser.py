"""The list of near-duplicates of which fewer pairs are by chance: on the server, in a browser, in a static copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, expect

from simsearch import schemas
from simsearch.explorer.export import export_site
from simsearch.explorer.server.app import create_app
from simsearch.judgements.verdicts import Given, Verdict, add_verdicts
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.browser import Watched, serious_faults
from tests.support.explorer_site import publish_gallery, running, settings
from tests.support.markup import one_line
from tests.support.serving import serving

pytestmark = pytest.mark.slow

PAGE = "/findings/duplicates"
ALARMS = (1e-15, 1e-7, 0.004, 0.06, 0.7)


def doubtful(catalog: pa.Table) -> pa.Table:
    """Pairs of neighbouring artworks, each less sure than the one before."""
    ids = catalog["artwork_id"].to_pylist()
    rows = [
        {"artwork_id": ids[2 * place], "other_id": ids[2 * place + 1], "relation": "same picture",
         "inliers": 30 - place, "false_alarms": alarms, "mirrored": False, "share": 1.0, "other_share": 1.0,
         "transform": np.eye(3).ravel().tolist()}
        for place, alarms in enumerate(ALARMS)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Snapshot]:
    folder = tmp_path_factory.mktemp("chance")
    config = settings(str(folder / "data"))
    return config, publish_gallery(config, folder / "gallery", 10, pairs=doubtful)


@pytest.fixture(scope="module")
def address(gallery: tuple[Config, Snapshot]) -> Iterator[str]:
    config, _ = gallery
    with running(create_app(config, [config.root])) as address:
        yield address


@pytest.fixture(scope="module")
def copy_address(
    gallery: tuple[Config, Snapshot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A static copy on a plain web server, of a gallery whose first pair is judged."""
    config, snapshot = gallery
    images = snapshot.images()
    originals = images.filter(images["profile"].is_null())
    first, second = originals["content_hash"].to_pylist()[:2]
    at = "2026-01-01T09:30:00.000000+00:00"
    add_verdicts(snapshot.storage, [Given(first, second, Verdict.NOT, "Ada Secret", at)])
    folder = tmp_path_factory.mktemp("copy") / "site"
    export_site(config, [config.root], str(folder))
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as address:
        yield address


@pytest.mark.parametrize(
    ("chance", "pairs"),
    [("1", 5), ("0.1", 4), ("0.01", 3), ("0.001", 2), ("1e-6", 2), ("1e-12", 1)],
)
def test_no_more_pairs_are_listed_than_were_allowed(address: str, chance: str, pairs: int) -> None:
    page = one_line(httpx.get(address + PAGE, params={"chance": chance}).text)
    assert f"{2 * pairs} works in {pairs} group" in page
    assert len(re.findall(r"<h2> ?2 works, same picture", page)) == pairs
    assert f"({pairs} {'pair' if pairs == 1 else 'pairs'})" in page


def test_a_chance_that_is_no_choice_is_refused(address: str) -> None:
    answer = httpx.get(address + PAGE, params={"chance": "2"})
    assert answer.status_code == 400
    assert "choose one of 1, 0.1" in answer.text


@pytest.mark.parametrize("place", ["address", "copy_address"])
def test_the_slider_goes_by_keys_and_the_address_holds_it(
    browser: Browser, request: pytest.FixtureRequest, place: str
) -> None:
    watched = Watched(browser, request.getfixturevalue(place))
    page = watched.goto(PAGE if place == "address" else "/findings-duplicates.html")
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("0")
    expect(page.locator(".groups > li")).to_have_count(5)
    slider.press("ArrowRight")
    expect(page.get_by_text("At most 0.1 of these pairs")).to_be_visible()
    slider.press("ArrowRight")
    expect(page.locator(".groups > li")).to_have_count(3)
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "0.01 (3 pairs)")
    assert ("chance=0.01" if place == "address" else "chance-2") in page.url
    slider.press("End")
    expect(page.locator(".groups > li")).to_have_count(1)
    page.reload()
    expect(slider).to_have_value("5")
    expect(page.locator(".groups > li")).to_have_count(1)
    page.go_back()
    expect(slider).to_have_value("2")
    assert not serious_faults(page)
    assert not watched.faults
    watched.close()


def test_a_static_copy_shows_verdicts_and_no_names(copy_address: str) -> None:
    page = one_line(httpx.get(f"{copy_address}/findings-duplicates.html").text)
    assert "judged: not the same picture" in page
    assert "1 of 5 pairs of different pictures is judged by people." in page
    assert "Judge them" not in page
    assert "Ada Secret" not in page
