"""The explorer over HTTP: what it answers, what it refuses, and that nothing gets past it."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simsearch.catalog import catalog
from simsearch.errors import ConfigError, NotFoundError, UsageError
from simsearch.explorer.data.search import folded
from simsearch.explorer.data.view import first_year, iiif_address
from simsearch.explorer.export import export_site
from simsearch.explorer.server.app import TOKEN_VARIABLE, create_app, token_from_environment
from simsearch.features import store as feature_store
from simsearch.images.perturbations import get_profile, perturb
from simsearch.indexes.exact import unit_rows
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.explorer_site import (
    GIVEN,
    HOSTILE,
    NETWORK,
    PROFILES,
    publish_gallery,
    running,
    settings,
)
from tests.support.places import Place

PAGES = ("/", "/artwork?id=a/000?%26e", "/picture", "/map", "/recovery", "/runs", "/api")
FIRST = "a/000?&e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="module")
def snapshot(folder: Path) -> Snapshot:
    return publish_gallery(settings(str(folder / "data")), folder / "gallery")


@pytest.fixture(scope="module")
def site(snapshot: Snapshot) -> Iterator[httpx.Client]:
    words = ("explore.max_upload_bytes=1000000", "explore.max_upload_pixels=1000000")
    config = settings(snapshot.storage.root, *words)
    with (
        running(create_app(config, [config.root])) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


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


def picture_bytes(width: int = 60, height: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


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


def test_untrained_weights_are_named_on_every_page(site: httpx.Client) -> None:
    for page in PAGES:
        assert f"Untrained weights: {NETWORK}" in site.get(page).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "etude 1857"}, [7]),
        ({"q": "ÉTUDE NO. 13"}, [13]),
        ({"artist": "lowe", "medium": "etching"}, [3, 6, 9, 15, 18, 21]),
        ({"year_from": "1860", "year_to": "1862"}, [10, 11, 12]),
        ({"title": "script"}, [0]),
        ({"q": "no such thing"}, []),
    ],
)
def test_search_finds_by_every_field_accents_aside(
    site: httpx.Client, query: dict[str, str], expected: list[int]
) -> None:
    found = site.get("/api/v1/artworks", params=query).json()
    assert [int(each["artwork_id"][2:5]) for each in found["artworks"]] == expected
    assert found["total"] == len(expected)


def test_pages_of_results_hold_everything_once(site: httpx.Client) -> None:
    ids = [
        each["artwork_id"]
        for page in (1, 2, 3, 4)
        for each in site.get("/api/v1/artworks", params={"page": page, "size": 7}).json()[
            "artworks"
        ]
    ]
    assert len(ids) == len(set(ids)) == 24


def test_an_address_keeps_its_snapshot(site: httpx.Client, snapshot: Snapshot) -> None:
    links = re.findall(r'href="(/[^"]*)"', site.get("/").text)
    pages = [link for link in links if not link.startswith("/static")]
    assert pages
    assert all(f"snapshot={snapshot.snapshot_id}" in link for link in pages)


@pytest.mark.parametrize("wrong", ["nope", "../../etc", "..%2F..", "a" * 5000, "\x00"])
def test_an_unknown_snapshot_or_artwork_is_no_path(site: httpx.Client, wrong: str) -> None:
    for query in ({"snapshot": wrong}, {"id": wrong}):
        answer = site.get("/artwork", params={"id": "x", **query})
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


def test_no_path_leads_out(site: httpx.Client) -> None:
    for wrong in ("..%2Fapp.py", "%2e%2e/app.py", "..%5Capp.py"):
        assert site.get(f"/static/{wrong}").status_code == 404
    assert site.get("/thumbnails/..%2F..%2Fsimsearch.json-96.webp").status_code in (400, 404)


def test_neighbours_are_those_of_plain_numpy(site: httpx.Client, snapshot: Snapshot) -> None:
    images = snapshot.images()
    space = snapshot.plan().space(GIVEN)
    units = unit_rows(feature_store.read_vectors(snapshot.storage, space, images)).astype(float)
    ids = images["artwork_id"].to_pylist()
    query = images["image_id"].to_pylist().index(FIRST)
    scores: dict[str, float] = {}
    for place in np.argsort(-(units @ units[query])):
        if ids[place] != FIRST:
            scores.setdefault(ids[place], float(units[place] @ units[query]))
    answer = site.get("/api/v1/neighbours", params={"id": FIRST, "n": 8}).json()
    found = answer["spaces"][GIVEN]
    assert [each["artwork_id"] for each in found] == list(scores)[:8]
    np.testing.assert_allclose(
        [each["score"] for each in found], list(scores.values())[:8], atol=1e-4
    )
    assert answer["trained"] == {GIVEN: True, NETWORK: False}


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
    place = {each: number for number, each in enumerate(images["image_id"].to_pylist())}
    apart = {}
    for number in range(12):
        own = next(each for each in place if each.startswith(f"a/{number:03}") and "--" not in each)
        distances = np.linalg.norm(units - units[place[own]], axis=1)
        distances[place[own]] = np.inf
        copy = place[f"{own}--{profile}"]
        if copy not in np.argsort(distances)[:3]:
            apart[f"{number:03}"] = distances[copy]
    assert shown == sorted(apart, key=lambda each: -apart[each])


def test_the_charts_begin_at_the_largest_k_of_the_study_and_hold_whole_rankings_apart(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    page = site.get("/recovery").text
    assert "among the 5 nearest" in page
    rows = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    for row in rows:
        if (row["group"], row["search"]) == ("all", "exact") and row["metric"] in ("map", "mrr"):
            assert f"{row['space']}, k = {row['k']}: {row['mean']:.4f}" in page
    curve = site.get("/recovery", params={"metric": "recall_curve"}).text
    deepest = max(row["k"] for row in rows if row["metric"] == "recall_curve")
    assert f"k = {deepest}</text>" in curve


def test_a_metric_that_was_not_evaluated_is_refused_by_name(site: httpx.Client) -> None:
    answer = site.get("/recovery", params={"k": 4})
    assert answer.status_code == 400
    assert "choose one of 1, 3, 5" in answer.text


def test_a_thumbnail_is_made_once_and_kept_by_the_browser(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    address = site.get("/api/v1/artworks", params={"size": 1}).json()["artworks"][0]["thumbnail"]
    first = site.get(address)
    picture = Image.open(io.BytesIO(first.content))
    assert (picture.format, max(picture.size)) == ("WEBP", 240)  # never larger than the original
    assert "immutable" in first.headers["cache-control"]
    again = site.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = site.get(address.replace("-400.", "-96."))
    assert max(Image.open(io.BytesIO(small.content)).size) == 96
    stored = [each.path for each in snapshot.storage.files("thumbnails")]
    assert len(stored) == len(set(stored)) >= 2
    assert site.get(address.replace("-400.", "-5000.")).status_code == 404


def test_a_copy_is_the_picture_that_was_embedded(site: httpx.Client, snapshot: Snapshot) -> None:
    images = snapshot.images().to_pylist()
    item = next(place for place, row in enumerate(images) if row["profile"] == "grayscale")
    shown = Image.open(io.BytesIO(site.get(f"/copies/{item}-400.webp").content)).convert("RGB")
    _, table = catalog.load_catalog(snapshot.storage)
    rows = {row["artwork_id"]: row for row in table.to_pylist()}
    path = Path(rows[images[item]["artwork_id"]]["image_uri"].removeprefix("file://"))
    plan = snapshot.plan()
    expected = perturb(
        Image.open(path).convert("RGB"),
        get_profile("grayscale"),
        reencode_jpeg=plan.settings.perturbations.reencode_jpeg,
        seed=plan.seed,
        content_hash=images[item]["content_hash"],
    )
    difference = np.abs(np.asarray(shown, int) - np.asarray(expected, int))
    assert difference.mean() < 3  # WebP's own loss
    assert site.get("/copies/999999-400.webp").status_code == 404


def test_a_picture_of_the_collection_finds_itself(site: httpx.Client, folder: Path) -> None:
    data = (folder / "gallery" / "005.png").read_bytes()
    answers = [
        json.loads(line) for line in site.post("/api/v1/query", content=data).text.splitlines()
    ]
    by_name = {each["space"]: each for each in answers}
    best = by_name[NETWORK]["matches"][0]
    assert best["artwork_id"].startswith("a/005")
    assert best["score"] == pytest.approx(1, abs=1e-4)
    assert by_name[GIVEN]["matches"] == []
    assert "the weights at hand" in by_name[GIVEN]["error"]  # told, not hidden


def test_the_form_works_without_a_script(site: httpx.Client, folder: Path) -> None:
    data = (folder / "gallery" / "005.png").read_bytes()
    page = site.post("/picture", files={"picture": ("p.png", data, "image/png")})
    assert page.status_code == 200
    assert "Étude no. 5" in page.text
    assert site.post("/picture", files={"other": ("p.png", data)}).status_code == 400


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"\x89PNG" + bytes(1_000_001), 413, "give a smaller one"),
        (picture_bytes(1001, 1000), 400, "too many pixels"),
        (b"<svg onload='alert(1)'/>", 400, "not an image"),
        (b"", 400, "empty file"),
        (picture_bytes()[:60], 400, "broken"),
    ],
    ids=["bytes", "pixels", "svg", "empty", "truncated"],
)
def test_an_upload_beyond_the_limits_is_refused_in_words(
    site: httpx.Client, data: bytes, status: int, words: str
) -> None:
    answer = site.post("/api/v1/query", content=data)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True)


def test_an_endless_upload_is_cut_off(site: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(4000):
            sent += 2**16
            yield bytes(2**16)

    # The answer is on its way while the connection closes; either may reach the client first.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert site.post("/api/v1/query", content=endless()).status_code == 413
    assert sent < 100 * 2**20


def test_an_upload_is_not_stored(
    site: httpx.Client, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {each.path for each in snapshot.storage.files()}
    noise = np.random.default_rng(1).integers(0, 255, (500, 500, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=6)
    assert 700_000 < len(buffer.getvalue()) < 1_000_000
    site.post("/picture", files={"picture": ("p.png", buffer.getvalue(), "image/png")})
    after = {each.path for each in snapshot.storage.files() if "thumbnails" not in each.path}
    assert after <= before
    assert list(tmp_path.iterdir()) == []


def test_another_host_or_site_is_refused(site: httpx.Client) -> None:
    assert site.get("/", headers={"Host": "evil.example"}).status_code == 400
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = site.post("/api/v1/query", content=picture_bytes(), headers=headers)
        assert answer.status_code == 403
    own = {"Origin": str(site.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert site.post("/api/v1/query", content=picture_bytes(), headers=own).status_code == 200


def test_a_token_is_asked_for_and_taken_both_ways(snapshot: Snapshot) -> None:
    config = settings(snapshot.storage.root)
    token = "correct horse battery"
    with running(create_app(config, [config.root], token)) as address:
        assert httpx.get(address).status_code == 401
        assert httpx.get(f"{address}/api/v1/metrics").status_code == 401
        assert httpx.get(f"{address}/static/explorer.css").status_code == 401
        wrong = base64.b64encode(b"me:wrong").decode()
        assert httpx.get(address, headers={"Authorization": f"Basic {wrong}"}).status_code == 401
        assert httpx.get(address, auth=("anyone", token)).status_code == 200
        bearer = {"Authorization": f"Bearer {token}"}
        assert httpx.get(address, headers=bearer).status_code == 200


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(ConfigError, match="soon guessed"):
        token_from_environment()


def test_tables_are_those_of_the_snapshot(site: httpx.Client, snapshot: Snapshot) -> None:
    name = f"neighbours-{GIVEN}-exact"
    stored = snapshot.storage.read_table(snapshot.neighbours_path(GIVEN, "exact"))
    assert pq.read_table(io.BytesIO(site.get(f"/tables/{name}.parquet").content)).equals(stored)
    lines = site.get(f"/tables/{name}.csv").text.splitlines()
    assert lines[0] == '"space","query_id","rank","neighbour_id","distance"'
    assert len(lines) == stored.num_rows + 1
    assert site.get("/tables/..%2Fplan.csv").status_code == 404
    metrics = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    assert site.get("/api/v1/metrics").json() == metrics


def test_the_map_has_every_artwork_where_it_was_put(site: httpx.Client, snapshot: Snapshot) -> None:
    data = site.get("/map/points", params={"space": GIVEN, "method": "pca"}).content
    points = np.frombuffer(data, "<f4").reshape(-1, 2)
    labels = site.get("/map/artworks.json").json()
    stored = snapshot.storage.read_table(snapshot.projection_path(GIVEN, "pca"))
    expected = {row["artwork_id"]: (row["x"], row["y"]) for row in stored.to_pylist()}
    assert {
        each: tuple(at) for each, at in zip(labels["ids"], points.tolist(), strict=True)
    } == expected
    assert labels["fields"]["medium"]["labels"] == ["oil on canvas", "etching"]
    assert all(len(field["codes"]) == 24 for field in labels["fields"].values())
    assert site.get("/map/points", params={"space": GIVEN, "method": "umap"}).status_code == 404


def test_runs_show_rejects_and_what_changed(folder: Path) -> None:
    root = str(folder / "twice")
    publish_gallery(settings(root), folder / "twice-gallery")
    words = ("evaluate.ks=[1,3]", "seed=9")
    publish_gallery(settings(root, *words), folder / "twice-gallery", count=20)
    config = settings(root)
    with running(create_app(config, [root])) as address:
        page = httpx.get(f"{address}/runs").text
        assert "not an image" in page
        assert "&lt;i&gt;text&lt;/i&gt;" in page
        assert len(httpx.get(f"{address}/api/v1/snapshots").json()) == 2
        for changed in ("evaluate.ks", "seed", "0 added, 0 changed, 0 renamed, 4 removed"):
            assert changed in page


def test_the_api_is_described(site: httpx.Client) -> None:
    described = site.get("/api/v1/openapi.json").json()["paths"]
    page = site.get("/api").text
    assert set(described) >= {"/api/v1/artworks", "/api/v1/neighbours", "/api/v1/query"}
    assert all(path in page for path in described)
    wrong = site.get("/api/v1/artworks", params={"size": 10_000})
    assert (wrong.status_code, "size" in wrong.json()["error"]) == (400, True)


def test_a_static_copy_stands_alone(snapshot: Snapshot, tmp_path: Path) -> None:
    config = settings(snapshot.storage.root)
    target = tmp_path / "copy"
    said = export_site(config, [config.root], str(target))
    assert str(target / "index.html") in said
    for page in target.glob("*.html"):
        html = page.read_text()
        assert "<script>" not in html
        for address in re.findall(r'(?:src|href)="([^"#][^"]*)"', html):
            parts = urlsplit(address)
            if not parts.scheme:
                assert (target / parts.path).is_file(), (page.name, address)
    assert len(list(target.glob("artwork-*.html"))) == 24
    export_site(config, [config.root], str(target))  # again, over itself
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="empty folder"):
        export_site(config, [config.root], str(tmp_path / "full"))


def test_any_storage_root_can_be_shown(place: Place, tmp_path: Path) -> None:
    words = (
        []
        if place.config.endpoint_url is None
        else [f"storage.endpoint_url={place.config.endpoint_url}"]
    )
    config = settings(place.root, *words)
    publish_gallery(config, tmp_path / "gallery", count=6)
    with running(create_app(config, [place.root])) as address:
        found = httpx.get(f"{address}/api/v1/neighbours", params={"id": FIRST}).json()
        assert len(found["spaces"][GIVEN]) == 5
        thumbnail = found["spaces"][GIVEN][0]["thumbnail"]
        assert httpx.get(address + thumbnail).status_code == 200
    assert Storage(place.root, place.config).files("thumbnails")


def test_a_root_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="run `simsearch run` first"):
        create_app(settings(str(tmp_path)), [str(tmp_path)])


def test_iiif_addresses_are_asked_for_the_width_needed() -> None:
    given = "https://www.artic.edu/iiif/2/8cbc9cf1-748c/full/843,/0/default.jpg"
    assert (
        iiif_address(given, 400)
        == "https://www.artic.edu/iiif/2/8cbc9cf1-748c/full/400,/0/default.jpg"
    )
    for other in (
        "https://a.example/pic.jpg",
        "file:///full/1,/0/default.jpg",
        None,
        "https://a;script-src b/x/full/1,/0/default.jpg",
    ):
        assert iiif_address(other, 400) is None


def test_years_and_words_are_read_from_free_text() -> None:
    assert [
        first_year(each) for each in ("c. 1888–90", "19th century", "1502", None, "No. 12345")
    ] == [1888, None, 1502, None, None]
    assert folded("Éàß") == "eass"
