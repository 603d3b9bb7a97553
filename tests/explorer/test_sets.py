"""Sets: their text in an address, their pages and files, and what is refused."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.errors import UsageError
from simsearch.explorer.server.app import create_app
from simsearch.indexes.index import open_index
from simsearch.reading import iiif_manifest
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.csv_text import csv_bytes
from simsearch.reading.sets import MOST, MOST_NAME, MOST_TEXT, clean_name, decode, encode
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, HOSTILE, publish_gallery, running, settings
from tests.support.markup import one_line

TOKEN = "a long enough secret"


@given(st.sets(st.integers(0, 200_000), min_size=1, max_size=300))
def test_a_set_comes_back_from_its_text(numbers: set[int]) -> None:
    text = encode(numbers)
    assert decode(text, 200_001) == tuple(sorted(numbers))
    assert text.replace("-", "").replace("_", "").isalnum()
    with pytest.raises(UsageError):
        decode(text, max(numbers))


@given(st.text(max_size=40))
def test_any_other_text_is_refused_or_names_artworks_that_there_are(text: str) -> None:
    try:
        numbers = decode(text, 100)
    except UsageError:
        return
    assert numbers == tuple(sorted(set(numbers)))
    assert all(0 <= number < 100 for number in numbers)


def test_the_largest_set_fits_an_address_and_no_larger_is_read() -> None:
    spread = np.random.default_rng(1).choice(160_000, MOST, replace=False).tolist()
    assert len(encode(spread)) < MOST_TEXT
    with pytest.raises(UsageError, match="at most"):
        decode(encode(range(MOST + 1)), 160_000)


@given(st.text(max_size=300))
def test_a_name_is_one_line_of_printable_text(text: str) -> None:
    name = clean_name(text)
    assert name == clean_name(name)
    assert 0 < len(name) <= MOST_NAME
    assert name.isprintable()


@pytest.mark.parametrize("start", [*"=+-@\t\r\n＝＋－＠"])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    titles = [f'{start}HYPERLINK("x")', "a, b", None]
    table = pa.table(
        {"title": titles, "artists": [["@x", "y"], [], None], "score": [-0.5, 1.0, None]}
    )
    data = csv_bytes(table).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data)))
    assert rows[1:] == [
        [f'\'{start}HYPERLINK("x")', "'@x; y", "-0.5"],
        ["a, b", "", "1"],
        ["", "", ""],
    ]


def test_a_set_is_a_page_with_its_files(site: httpx.Client) -> None:
    state = {"ids": encode([0, 4, 9]), "name": HOSTILE}
    page = one_line(site.get("/set", params=state).text)
    assert "3 artworks" in page
    assert HOSTILE not in page
    rows = list(
        csv.DictReader(io.StringIO(site.get("/set.csv", params=state).content.decode("utf-8-sig")))
    )
    table = pq.read_table(io.BytesIO(site.get("/set.parquet", params=state).content))
    ids = [f"a/{number:03}?&{'é' if number % 2 else 'e'}" for number in (0, 4, 9)]
    assert [row["artwork_id"] for row in rows] == table["artwork_id"].to_pylist() == ids
    assert not {"image_uri", "etag"} & set(rows[0])
    assert site.get("/set.txt", params=state).status_code == 404
    given_name = site.get("/set.csv", params=state).headers["content-disposition"]
    assert "\n" not in given_name
    assert given_name.startswith('attachment; filename="set-script-document-title-owned')


def test_one_work_of_a_set_is_left_out_by_a_link(site: httpx.Client) -> None:
    page = one_line(site.get("/set", params={"ids": encode([0, 4, 9]), "name": "Three"}).text)
    links = [html.unescape(link) for link in re.findall(r'class="why" href="([^"]+)"', page)]
    rests = [parse_qs(urlsplit(link).query)["ids"][0] for link in links]
    assert [decode(rest, 24) for rest in rests] == [(4, 9), (0, 9), (0, 4)]
    assert "2 artworks" in one_line(site.get(links[0]).text)
    assert "Leave out" not in site.get("/set", params={"ids": encode([4])}).text


def test_a_manifest_is_what_the_specification_asks(site: httpx.Client) -> None:
    """The rules that Presentation 3 puts as MUST (iiif.io/api/presentation/3.0)."""
    answer = site.get("/set/manifest.json", params={"ids": encode([0, 1]), "name": "Two"})
    manifest = answer.json()
    kind = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    assert answer.headers["content-type"] == kind
    assert manifest["type"] == "Manifest"
    assert manifest["@context"] == "http://iiif.io/api/presentation/3/context.json"
    assert manifest["label"] == {"none": ["Two"]}
    assert manifest["id"] == str(answer.url)
    ids = [manifest["id"]]
    for canvas in manifest["items"]:
        assert canvas["type"] == "Canvas"
        (page,) = canvas["items"]
        (annotation,) = page["items"]
        ids += [canvas["id"], page["id"], annotation["id"]]
        assert (page["type"], annotation["type"]) == ("AnnotationPage", "Annotation")
        assert annotation["motivation"] == "painting"
        assert annotation["target"] == canvas["id"]
        body = annotation["body"]
        assert body["width"] * canvas["height"] == body["height"] * canvas["width"]
        assert site.get(body["id"]).headers["content-type"] == body["format"]
        for pair in canvas["metadata"]:
            assert (pair["label"].keys(), pair["value"].keys()) == ({"en"}, {"none"})
    assert len(set(ids)) == len(ids) == 7
    assert all(re.match("https?://[^#]+$", address) for address in ids)  # no fragment
    assert manifest["items"][0]["label"]["none"][0].startswith("&lt;script")
    assert "homepage" not in manifest["items"][0]  # a javascript: link
    assert manifest["items"][1]["homepage"][0]["id"] == "https://museum.example/1"


def test_our_own_words_have_their_language() -> None:
    rights = "https://creativecommons.org/publicdomain/zero/1.0/"
    row = {"title": None, "date": "1884", "attribution": "Museum", "rights": rights}
    artworks = [ViewArtwork(0, 0, "", row | {"url": "https://x.test/1"})]
    picture = "https://x.test/p.webp"
    written = iiif_manifest.manifest(
        "https://x.test/m", "", artworks, lambda *_: picture, lambda _: (40, 30)
    )
    (canvas,) = written["items"]
    assert canvas["label"] == {"en": ["Untitled"]}
    assert canvas["homepage"][0]["label"] == {"en": ["Untitled"]}
    assert canvas["metadata"] == [{"label": {"en": ["Date"]}, "value": {"none": ["1884"]}}]
    assert canvas["requiredStatement"]["label"] == {"en": ["Attribution"]}
    assert canvas["rights"] == "http://creativecommons.org/publicdomain/zero/1.0/"
    assert canvas["id"] == "https://x.test/m?canvas=1"


@pytest.mark.parametrize("rights", ["© Museum", "In copyright", "https://museum.test/terms"])
def test_rights_in_a_museum_s_own_words_are_shown(rights: str) -> None:
    artworks = [ViewArtwork(0, 0, "", {"title": "A", "rights": rights, "url": None})]
    written = iiif_manifest.manifest(
        "https://x.test/m", "", artworks, lambda *_: "https://x.test/p.webp", lambda _: (40, 30)
    )
    (canvas,) = written["items"]
    assert canvas["metadata"] == [{"label": {"en": ["Rights"]}, "value": {"none": [rights]}}]
    assert "rights" not in canvas


def test_a_viewer_elsewhere_shows_a_manifest(site: httpx.Client, snapshot: Snapshot) -> None:
    """It may read what names its snapshot; a page that guesses an address reads nothing."""
    asked = {"ids": encode([0, 1]), "snapshot": snapshot.snapshot_id}
    answer = site.get("/set/manifest.json", params=asked, headers={"Origin": "https://viewer.test"})
    assert answer.headers["content-disposition"].startswith("inline;")
    assert answer.headers["access-control-allow-origin"] == "*"
    for canvas in answer.json()["items"]:
        picture = site.get(canvas["items"][0]["items"][0]["body"]["id"])
        assert picture.headers["access-control-allow-origin"] == "*"
        assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
    for path in ("/set/manifest.json", "/set.csv", "/set"):
        page = site.get(path, params={"ids": encode([0, 1])})
        assert "access-control-allow-origin" not in page.headers
        assert page.headers["cross-origin-resource-policy"] == "same-origin"
    table = site.get("/set.csv", params=asked)
    assert table.headers["content-disposition"].startswith("attachment;")
    assert "access-control-allow-origin" not in table.headers


def test_the_nearest_to_a_set_are_those_of_plain_numpy(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    chosen = [2, 7, 11]
    images = snapshot.images()
    space = snapshot.plan().space(GIVEN)
    index = open_index(snapshot.storage, snapshot.index_folder(GIVEN), space.fingerprint)
    units = index.units.astype(float)
    ids = np.array(images["artwork_id"].to_pylist())
    names = [f"a/{number:03}?&{'é' if number % 2 else 'e'}" for number in range(24)]
    originals = [images["image_id"].to_pylist().index(name) for name in names]
    means = (units @ units[[originals[number] for number in chosen]].T).mean(axis=1)
    best = {name: means[ids == name].max() for n, name in enumerate(names) if n not in chosen}
    expected = sorted(best, key=lambda name: -best[name])[:5]
    page = site.get("/set", params={"ids": encode(chosen)}).text
    column = page[page.index(f'aria-label="{GIVEN}"') :]
    entries = column.split("<li")[1:6]
    shown = [entry.split("no. ")[1].split('"')[0].split(",")[0] for entry in entries]
    assert [int(number) for number in shown] == [int(name[2:5]) for name in expected]
    scores = [entry.split('class="score">')[1][:6] for entry in entries]
    assert scores == [f"{best[name]:.4f}" for name in expected]


@pytest.mark.parametrize("ids", ["", "!", "AAAA=", "gICAgICAgAE", "_____w8", "A" * (MOST_TEXT + 1)])
def test_what_is_no_set_is_answered_in_words(site: httpx.Client, ids: str) -> None:
    answer = site.get("/set", params={"ids": ids})
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_without_a_password_nothing_is_kept(site: httpx.Client, snapshot: Snapshot) -> None:
    answer = site.post("/sets", data={"ids": encode([1]), "name": "mine"})
    assert answer.status_code == 400
    assert "SIMSEARCH_EXPLORE_TOKEN" in answer.text
    assert not snapshot.storage.files("sets")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("locked")
    config = settings(str(folder / "data"))
    publish_gallery(config, folder / "gallery", count=6)
    with (
        running(create_app(config, [config.root], TOKEN)) as address,
        httpx.Client(base_url=address, auth=("anyone", TOKEN), follow_redirects=True) as client,
    ):
        yield client


def test_a_set_is_kept_behind_a_password_and_removed(locked: httpx.Client) -> None:
    form = {"ids": encode([1, 3]), "name": "  Two <b>of</b>\nthem "}
    page = locked.post("/sets", data=form)
    assert page.status_code == 200
    assert "Two &lt;b&gt;of&lt;/b&gt; them" in page.text
    assert "set_id=" in str(page.url)
    assert "2 artworks" in one_line(locked.get("/sets").text)
    set_id = page.url.params["set_id"]
    assert "Étude no. 3" in locked.get("/set", params={"set_id": set_id}).text
    refused = locked.post("/sets", data=form, headers={"Origin": "https://elsewhere.example"})
    assert refused.status_code == 403
    assert locked.post("/sets/remove", data={"set_id": "../LATEST"}).status_code == 404
    assert locked.post("/sets/remove", data={"set_id": set_id}).status_code == 200
    assert locked.get("/set", params={"set_id": set_id}).status_code == 404


def test_a_kept_set_is_changed_in_place_and_each_change_is_taken_back(locked: httpx.Client) -> None:
    """Nobody's link to a kept set leads to another set than everyone else's."""
    made = locked.post("/sets", data={"ids": encode([1, 3, 4]), "name": "Three"})
    set_id = made.url.params["set_id"]

    def press(page: httpx.Response, button: str) -> httpx.Response:
        forms = re.findall(r'<form[^>]*method="post"[^>]*>.*?</form>', " ".join(page.text.split()))
        (form,) = [form for form in forms if button in html.unescape(re.sub("<[^>]*>", "", form))]
        action = html.unescape(re.findall(r'action="([^"]*)"', form)[0])
        fields = re.findall(r'<input[^>]*name="([^"]*)" value="([^"]*)"', form)
        return locked.post(action, data={name: html.unescape(value) for name, value in fields})

    def kept() -> tuple[str, str]:
        entries: list[tuple[str, str]] = re.findall(r"set_id=[^\"]*\".*?<cite>(.*?)</cite>.*?(\d+) artwork", one_line(locked.get("/sets").text), re.DOTALL)  # fmt: skip
        (entry,) = entries
        return entry

    assert kept() == ("Three", "3")
    page = press(made, "Leave out Étude no. 3")
    assert page.url.params["set_id"] == set_id
    assert "2 artworks" in one_line(page.text)
    assert kept() == ("Three", "2")
    assert "is left out" in locked.get(str(page.url)).text  # also after a reload
    page = press(page, "Étude no. 3” is left out. Undo")
    assert kept() == ("Three", "3")
    assert "is left out" not in page.text
    page = locked.post("/sets/rename", data={"set_id": set_id, "name": " Drei\n"})
    assert kept() == ("Drei", "3")
    assert "Renamed from “Three”" in page.text
    page = press(page, "Renamed from")
    assert kept() == ("Three", "3")
    for number in (1, 3):
        locked.post("/sets/leave-out", data={"set_id": set_id, "artwork": f"a/{number:03}?&é"})
    last = locked.post("/sets/leave-out", data={"set_id": set_id, "artwork": "a/004?&e"})
    assert last.status_code == 400
    assert "remove the whole set" in last.text
    assert kept() == ("Three", "1")
    assert locked.post("/sets/remove", data={"set_id": set_id}).status_code == 200


@pytest.mark.parametrize("change", ["rename", "leave-out", "put-back"])
def test_a_set_is_changed_only_where_there_is_one_and_by_whoever_may(
    site: httpx.Client, locked: httpx.Client, change: str
) -> None:
    form = {"set_id": "0" * 16, "name": "x", "artwork": "a/004?&e"}
    assert locked.post(f"/sets/{change}", data=form).status_code == 404
    assert site.post(f"/sets/{change}", data=form).status_code == 400  # it has no password
