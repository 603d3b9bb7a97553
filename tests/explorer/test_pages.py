"""Every page: shows, escapes, keeps its snapshot, and what it says is true."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from simsearch.explorer.server.app import create_app
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import (
    GIVEN,
    HOSTILE,
    NETWORK,
    PROFILES,
    Rows,
    publish_gallery,
    running,
    settings,
)
from tests.support.gallery import FIRST, PAGES
from tests.support.markup import one_line


class Tags(HTMLParser):
    """The tags of a page with their attributes' names, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, set[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name for name, _ in attrs}))

    @classmethod
    def of(cls, page: str) -> list[tuple[str, set[str]]]:
        parser = cls()
        parser.feed(page)
        return parser.found


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_and_runs_nothing_inline(site: httpx.Client, page: str) -> None:
    answer = site.get(page)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, attributes in Tags.of(answer.text):
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_another_server(site: httpx.Client, page: str) -> None:
    for address in re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', site.get(page).text):
        assert urlsplit(address).netloc == ""
        assert site.get(address).status_code == 200


def test_a_hostile_title_shows_as_text(site: httpx.Client) -> None:
    page = site.get("/artwork", params={"id": FIRST}).text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "javascript:" not in page  # nor does a hostile link become one


@pytest.mark.slow
def test_untrained_weights_are_named_on_every_page(site: httpx.Client) -> None:
    for page in PAGES:
        assert f"Untrained weights: {NETWORK}" in site.get(page).text


def test_an_address_keeps_its_snapshot(site: httpx.Client, snapshot: Snapshot) -> None:
    links = re.findall(r'href="(/[^"]*)"', site.get("/").text)
    pages = [link for link in links if not link.startswith("/static")]
    assert pages
    assert all(f"snapshot={snapshot.snapshot_id}" in link for link in pages)


def test_what_the_index_lost_is_said(site: httpx.Client, snapshot: Snapshot) -> None:
    first = snapshot.images()["artwork_id"].to_pylist()[0]
    page = site.get("/artwork", params={"id": first}).text
    assert "Index and exact search differ" in page
    assert "Exact search also finds, at rank 1" in page


def test_copies_show_the_rank_at_which_each_is_found(site: httpx.Client) -> None:
    page = site.get("/artwork", params={"id": FIRST}).text
    section = page[page.index('id="copies"') :]
    for profile in PROFILES:
        assert f"<h3>{profile}</h3>" in section
    assert "rank 1" in section
    assert section.count('class="lost"') >= 1  # the last profile lies somewhere else


def test_missed_copies_come_worst_first(site: httpx.Client, snapshot: Snapshot) -> None:
    profile = PROFILES[-1]
    page = site.get("/recovery", params={"k": 3, "space": GIVEN, "profile": profile}).text
    shown = re.findall(r"id=a%2F(\d+)[^\"]*#copies", page[page.index('id="missed"') :])
    images = snapshot.images()
    units = unit_rows(
        feature_store.read_vectors(snapshot.storage, snapshot.plan().space(GIVEN), images)
    )
    place = {image_id: number for number, image_id in enumerate(images["image_id"].to_pylist())}
    missed = {}
    for number in range(12):
        own = next(
            image_id
            for image_id in place
            if image_id.startswith(f"a/{number:03}") and "--" not in image_id
        )
        distances = np.linalg.norm(units - units[place[own]], axis=1)
        distances[place[own]] = np.inf
        copy = place[f"{own}--{profile}"]
        if copy not in np.argsort(distances)[:3]:
            missed[f"{number:03}"] = distances[copy]
    assert shown == sorted(missed, key=lambda image_id: -missed[image_id])


@pytest.mark.slow
def test_the_charts_begin_at_the_largest_k_of_the_study_and_hold_whole_rankings_apart(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    page = site.get("/recovery").text
    assert "among the 5 nearest" in page
    rows = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    for row in rows:
        if (row["scope"], row["search"]) == ("all", "exact") and row["metric"] in ("map", "mrr"):
            assert f"{row['space']}, k = {row['k']}: {row['mean']:.4f}" in page
    curve = site.get("/recovery", params={"metric": "recall_curve"}).text
    deepest = max(row["k"] for row in rows if row["metric"] == "recall_curve")
    assert f"k = {deepest}</text>" in curve


@pytest.mark.slow
def test_scores_of_the_index_say_where_it_compares_all_vectors_and_lack_whole_rankings(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    note = (
        "the index compares all vectors, as that is faster: its answers are those of exact search"
    )
    assert note not in one_line(site.get("/recovery").text)
    page = one_line(site.get("/recovery", params={"search": "annoy"}).text)
    named = re.search(rf"Of ([^.]*) {note}", page)
    assert named is not None
    assert set(named[1].split(", ")) == {space.name for space in snapshot.plan().spaces}
    assert 'id="whole"' not in page
    curve = site.get("/recovery", params={"search": "annoy", "metric": "recall_curve"}).text
    assert "Not measured by the index: choose exact search." in curve


def test_a_metric_that_was_not_evaluated_is_refused_by_name(site: httpx.Client) -> None:
    answer = site.get("/recovery", params={"k": 4})
    assert answer.status_code == 400
    assert "choose one of 1, 3, 5" in answer.text


@pytest.mark.slow
def test_runs_show_rejects_and_what_changed(folder: Path) -> None:
    root = str(folder / "twice")
    publish_gallery(settings(root), folder / "twice-gallery")
    words = ("evaluate.ks=[1,3]", "seed=9")
    publish_gallery(settings(root, *words), folder / "twice-gallery", count=20, edit=edited)
    config = settings(root)
    with (
        running(create_app(config, [root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        page = client.get("/runs").text
        assert "not an image" in page
        assert "&lt;i&gt;text&lt;/i&gt;" in page
        assert len(client.get("/api/v1/snapshots").json()) == 2
        for changed in ("evaluate.ks", "seed", "0 added, 1 changed, 1 renamed, 4 removed"):
            assert changed in page
        page = one_line(client.get("/findings/changes").text)
        for heading in ("4 went", "1 with another picture", "1 with another identifier"):
            assert f">{heading}</h2>" in page
        assert "<del>Étude no. 3</del><ins>Study no. 3</ins>" in page
        assert "<code>a/002?&amp;e</code>is now<code>renumbered</code>" in page
        pictures = re.findall(r'<img src="([^"]+)"', page)
        assert len({address.partition("snapshot=")[2] for address in pictures}) == 2
        assert all(client.get(address).status_code == 200 for address in pictures)


def edited(rows: Rows) -> None:
    """One artwork renumbered, one retitled, one photographed anew."""
    rows[2]["artwork_id"] = "renumbered"
    rows[3]["title"] = "Study no. 3"
    rows[4]["image_uri"] = rows[5]["image_uri"]
