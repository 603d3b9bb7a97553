"""Verdicts on near-duplicates: who may give them, what is asked and what no more, how they are taken back."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from simsearch.explorer.server.app import create_app
from simsearch.judgements.verdicts import FOLDER, Verdict, add_verdicts, read_verdicts
from simsearch.judgements.verdicts import Given as GivenVerdict
from simsearch.reading.sets import MOST_NAME
from simsearch.snapshots.snapshot import Snapshot
from tests.support.browser import Watched, serious_faults
from tests.support.explorer_site import HOSTILE, Rows, publish_gallery, running, settings
from tests.support.markup import one_line

pytestmark = pytest.mark.slow

TOKEN = "a long enough secret"
PAGE, UNDO = "/findings/verdicts", "/findings/verdicts/undo"
# The near-duplicates of the first ten artworks: 8 with 9 (85 points), 4 with 5 (40), 5 with 6 (20).


def work(number: int) -> str:
    return f"a/{number:03}?&{'é' if number % 2 else 'e'}"


def in_folders(rows: Rows) -> None:
    """8 and 9 in a folder of a series, 4 and 5 by one artist."""
    for number, row in enumerate(rows):
        path = Path(row["image_uri"].removeprefix("file://"))
        folder = "rome/frescoes" if number in (8, 9) else "rome"
        moved = path.parent / folder / path.name
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.rename(moved)
        row["image_uri"] = moved.as_uri()
        row["artists"] = ["Ada & Co"] if number in (4, 5) else ["Bo", "Ada & Co"][: number % 2 + 1]


@dataclass
class Judged:
    client: httpx.Client
    snapshot: Snapshot

    def get(self, **query: str | int) -> str:
        answer = self.client.get(PAGE, params=query)
        assert answer.status_code == 200, answer.text
        return one_line(answer.text)

    def give(self, numbers: list[int], verdict: str, **more: Any) -> httpx.Response:
        form = {"work": [work(number) for number in numbers], "verdict": verdict, "who": "Ada"}
        return self.client.post(PAGE, data=form | more)

    def stored(self) -> dict[frozenset[int], str]:
        """The verdicts that count, by the numbers of the artworks."""
        images = self.snapshot.images().filter(self.snapshot.images()["profile"].is_null())
        ids, hashes = images["artwork_id"].to_pylist(), images["content_hash"].to_pylist()
        number_of = {digest: int(ids[n][2:5]) for n, digest in enumerate(hashes)}
        return {
            frozenset(number_of[digest] for digest in pair): str(given.verdict)
            for pair, given in read_verdicts(self.snapshot.storage).items()
        }


@pytest.fixture(scope="module")
def judged_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    folder: Path = tmp_path_factory.mktemp("verdicts")
    config = settings(str(folder / "data"))
    snapshot = publish_gallery(config, folder / "gallery", 10, in_folders)
    with (
        running(create_app(config, [config.root], TOKEN)) as address,
        httpx.Client(
            base_url=address, auth=("anyone", TOKEN), follow_redirects=True, timeout=60
        ) as client,
    ):
        yield Judged(client, snapshot)


@pytest.fixture
def judged(judged_site: Judged) -> Judged:
    for info in judged_site.snapshot.storage.files(FOLDER):
        judged_site.snapshot.storage.delete(f"{FOLDER}/{info.path}")
    return judged_site


def asked(page: str) -> list[int]:
    """The numbers of the two artworks in question."""
    pair = page.partition('class="both"')[2].partition("</ol>")[0]
    return [int(number) for number in re.findall(r"<code>a/(\d+)", pair)]


def progress(page: str) -> str:
    (words,) = re.findall(r'id="progress"> ?(.*?judged)', page)
    return str(words)


def test_pairs_are_asked_surest_first_until_all_are_judged(judged: Judged) -> None:
    assert asked(judged.get()) == [8, 9]
    assert progress(judged.get()) == "0 of 3 pairs judged"
    assert asked(judged.get(place=1)) == [4, 5]
    page = one_line(judged.give([8, 9], "same object").text)
    assert asked(page) == [4, 5]
    assert progress(page) == "1 of 3 pairs judged"
    page = one_line(judged.give([5, 4], "detail of").text)
    assert asked(page) == [5, 6]
    page = one_line(judged.give([5, 6], "not").text)
    assert "All pairs are judged" in page
    assert progress(page) == "3 of 3 pairs judged"
    pair = one_line(judged.get(id=work(4), other=work(5)))
    assert "Judged:<strong>the second is a detail of the first</strong>(Ada, 20" in pair
    assert judged.stored() == {
        frozenset({8, 9}): "same object",
        frozenset({4, 5}): "detail of",
        frozenset({5, 6}): "not",
    }
    for path in ("/compare", "/alike"):
        shown = judged.client.get(path, params={"id": work(4), "other": work(5)})
        said = "A person judged:<strong>the second is a detail of the first</strong>"
        assert said in one_line(shown.text)
    table = one_line(judged.client.get("/findings/duplicates").text)
    assert "3 of 3 pairs of different pictures are judged by people" in table
    assert "<td>the second is a detail of the first</td>" in table
    assert "judged: same object" in table


def test_a_verdict_is_taken_back_and_asked_again(judged: Judged) -> None:
    answer = judged.give([8, 9], "same scan")
    given = answer.url.params["given"]
    form = {"given": given, "who": "Ben"}
    assert "Take it back" in answer.text
    assert judged.client.post(UNDO, data=form).status_code == 200
    assert judged.stored() == {}
    assert asked(judged.get()) == [8, 9]
    again = judged.client.post(UNDO, data=form)
    assert again.status_code == 400
    assert "nothing was taken back" in again.text


def test_a_group_is_judged_at_once_and_what_was_judged_stays(judged: Judged) -> None:
    judged.give([4, 5], "same scan")
    page = judged.get(place=1)
    assert asked(page) == [5, 6]
    group = page.partition('id="group"')[2]
    assert re.findall(r'name="work" value="a/(\d+)', group) == ["004", "005", "006"]
    assert "detail of" not in group.partition("members")[2].lower()
    answer = judged.give([4, 5, 6], "same object")
    assert judged.stored() == {
        frozenset({4, 5}): "same scan",
        frozenset({5, 6}): "same object",
        frozenset({4, 6}): "same object",
    }
    judged.client.post(UNDO, data={"given": answer.url.params["given"], "who": "Ada"})
    assert judged.stored() == {frozenset({4, 5}): "same scan"}
    for numbers, verdict in (([4, 5, 6], "copy after"), ([4], "not"), (range(4, 4), "not")):
        assert judged.give(list(numbers), verdict).status_code == 400
    assert judged.stored() == {frozenset({4, 5}): "same scan"}


def test_a_third_picture_that_joins_a_judged_group_is_asked_about_alone(judged: Judged) -> None:
    """Of the group of 4, 5 and 6 the first two were judged before 6 came."""
    judged.give([4, 5], "same object")
    judged.give([8, 9], "not")
    page = judged.get()
    assert asked(page) == [5, 6]
    assert "to the first: same object" in page
    assert progress(page) == "2 of 3 pairs judged"


def test_a_series_or_an_artist_is_left_out_and_the_address_keeps_it(judged: Judged) -> None:
    page = judged.get()
    (folder,) = re.findall(r'href="([^"]*)" ?>Leave out pairs within the folder frescoes', page)
    without = judged.client.get(html.unescape(folder))
    assert asked(one_line(without.text)) == [4, 5]
    assert "0 of 2 pairs" in one_line(without.text)
    (artist,) = re.findall(r'href="([^"]*)" ?>Leave out pairs within Ada', one_line(without.text))
    both = one_line(judged.client.get(html.unescape(artist)).text)
    assert asked(both) == [5, 6]  # 6 is by another
    answer = judged.give([5, 6], "not", artist="Ada & Co", folder="frescoes")
    assert "No pair" not in answer.text
    assert answer.url.params["artist"] == "Ada & Co"
    assert "All pairs are judged" in answer.text
    backs = re.findall(r'class="chip" href="([^"]*)"', one_line(answer.text))
    assert len(backs) == 2
    assert asked(one_line(judged.client.get(html.unescape(backs[0])).text)) == [4, 5]


def test_the_name_is_one_line_and_needed(judged: Judged) -> None:
    for who in ("", " \n", "\u202e\x00"):
        refused = judged.give([8, 9], "not", who=who)
        assert refused.status_code == 400
        assert "name" in refused.text
    judged.give([8, 9], "not", who=f"  <b>Ada</b>\n{'x' * 100}")
    (given,) = read_verdicts(judged.snapshot.storage).values()
    assert given.who == f"<b>Ada</b> {'x' * 100}"[:MOST_NAME]
    assert "&lt;b&gt;Ada" in judged.get()


def test_nothing_else_is_taken_for_a_verdict(judged: Judged) -> None:
    for form in (
        {"work": [work(8), "a/gone"], "verdict": "not"},
        {"work": [work(8), work(8)], "verdict": "not"},
        {"work": [work(8), work(9)], "verdict": "perhaps"},
        {"work": [work(n) for n in range(12)] * 2, "verdict": "not"},
        {
            "work": [work(8), work(9)],
            "verdict": "not",
            "artist": "\n".join("abcdefghijklmnopqrstu"),
        },
    ):
        assert judged.client.post(PAGE, data=form | {"who": "Ada"}).status_code in (400, 404)
    elsewhere = judged.client.post(
        PAGE,
        data={"work": [work(8), work(9)], "verdict": "not", "who": "Ada"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert elsewhere.status_code == 403
    assert judged.stored() == {}


def test_without_a_password_verdicts_are_seen_and_not_given(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    form = {"work": [work(8), work(9)], "verdict": "not", "who": "Ada"}
    for path, data in ((PAGE, form), (UNDO, {"given": "2026", "who": "Ada"})):
        answer = site.post(path, data=data)
        assert answer.status_code == 400
        assert "SIMSEARCH_EXPLORE_TOKEN" in answer.text
    assert not snapshot.storage.files(FOLDER)
    images = snapshot.images()
    hash_of = dict(
        zip(images["artwork_id"].to_pylist(), images["content_hash"].to_pylist(), strict=True)
    )
    at = "2026-01-01T00:00:00.000000+00:00"
    pair = hash_of[work(8)], hash_of[work(9)]
    try:
        add_verdicts(snapshot.storage, [GivenVerdict(*pair, Verdict.NOT, "Ada Secret", at)])
        page = one_line(site.get(PAGE).text)
        asked_for = one_line(site.get(PAGE, params={"id": work(8), "other": work(9)}).text)
    finally:
        for info in snapshot.storage.files(FOLDER):
            snapshot.storage.delete(f"{FOLDER}/{info.path}")
    assert progress(page) == "1 of 6 pairs judged"
    assert "Judged:<strong>not the same picture</strong>." in asked_for
    for text in (page, asked_for):
        assert "<button" not in text
        assert "Ada Secret" not in text
        assert HOSTILE not in text


def test_a_damaged_file_costs_the_verdicts_and_not_the_page(judged: Judged) -> None:
    judged.give([8, 9], "not")
    storage = judged.snapshot.storage
    storage.write_bytes(f"{FOLDER}/part-{'0' * 20}.parquet", b"no table")
    page = judged.get()
    assert "The verdicts cannot be read" in page
    assert "<button" not in page.partition("<main")[2]
    assert judged.give([4, 5], "not").status_code == 500


def test_a_key_gives_a_verdict_and_the_name_is_asked_once(browser: Browser, judged: Judged) -> None:
    secret = {"username": "anyone", "password": TOKEN}
    address = str(judged.client.base_url).rstrip("/")
    watched = Watched(browser, address, http_credentials=secret)
    page = watched.goto(PAGE)
    page.keyboard.press("2")
    name = page.locator("#pair input[name=who]")
    expect(name).to_be_focused()  # no verdict without a name
    name.fill("Ada")
    name.press("Tab")
    for key, progress_then in (("2", "1 of 3"), ("Shift+Digit5", "3 of 3"), ("u", "1 of 3")):
        page.keyboard.press(key)
        expect(page.locator("#progress")).to_contain_text(progress_then)
        page.wait_for_load_state("networkidle")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "place=1" in url)
    assert serious_faults(page) == []
    assert judged.stored() == {frozenset({8, 9}): "same object"}
    assert watched.faults == []
    watched.close()
