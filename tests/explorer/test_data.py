"""The explorer's search, neighbours, pictures, tables and map, against the snapshot."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simsearch.catalog.stored import load_catalog
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.images.perturbations import get_profile, perturb
from simsearch.reading.artworks import iiif_address
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, NETWORK
from tests.support.gallery import FIRST


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
    answer = site.get("/api/v1/artworks", params=query).json()
    assert [int(artwork["artwork_id"][2:5]) for artwork in answer["artworks"]] == expected
    assert answer["total"] == len(expected)


def test_pages_of_results_hold_everything_once(site: httpx.Client) -> None:
    ids = [
        artwork["artwork_id"]
        for page in (1, 2, 3, 4)
        for artwork in site.get("/api/v1/artworks", params={"page": page, "size": 7}).json()[
            "artworks"
        ]
    ]
    assert len(ids) == len(set(ids)) == 24


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
    neighbours = answer["spaces"][GIVEN]
    assert [neighbour["artwork_id"] for neighbour in neighbours] == list(scores)[:8]
    np.testing.assert_allclose(
        [neighbour["score"] for neighbour in neighbours], list(scores.values())[:8], atol=1e-4
    )
    assert answer["trained"] == {GIVEN: True, NETWORK: False}


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
    stored = [file.path for file in snapshot.storage.files("thumbnails")]
    assert len(stored) == len(set(stored)) >= 2
    assert site.get(address.replace("-400.", "-5000.")).status_code == 404


def test_a_copy_is_the_picture_that_was_embedded(site: httpx.Client, snapshot: Snapshot) -> None:
    images = snapshot.images().to_pylist()
    item = next(place for place, row in enumerate(images) if row["profile"] == "grayscale")
    shown = Image.open(io.BytesIO(site.get(f"/copies/{item}-400.webp").content)).convert("RGB")
    table = load_catalog(snapshot.storage).table
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


def test_tables_are_those_of_the_snapshot(site: httpx.Client, snapshot: Snapshot) -> None:
    name = f"neighbours-{GIVEN}-exact"
    stored = snapshot.storage.read_table(snapshot.neighbours_path(GIVEN, "exact"))
    assert pq.read_table(io.BytesIO(site.get(f"/tables/{name}.parquet").content)).equals(stored)
    lines = site.get(f"/tables/{name}.csv").text.splitlines()
    assert lines[0] == '"space","search","query_id","rank","neighbour_id","distance"'
    assert len(lines) == stored.num_rows + 1
    assert site.get("/tables/..%2Fplan.csv").status_code == 404
    metrics = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    assert site.get("/api/v1/metrics").json() == metrics


def test_the_api_is_described(site: httpx.Client) -> None:
    described = site.get("/api/v1/openapi.json").json()["paths"]
    page = site.get("/api").text
    assert set(described) >= {"/api/v1/artworks", "/api/v1/neighbours", "/api/v1/query"}
    assert all(path in page for path in described)
    assert "words of <code>q</code> in any field" in page
    assert "`" not in page
    wrong = site.get("/api/v1/artworks", params={"size": 10_000})
    assert (wrong.status_code, "size" in wrong.json()["error"]) == (400, True)


def test_iiif_addresses_are_asked_for_the_width_needed() -> None:
    given = "https://www.artic.edu/iiif/2/8cbc9cf1-748c/full/843,/0/default.jpg"
    assert (
        iiif_address(given, 400)
        == "https://www.artic.edu/iiif/2/8cbc9cf1-748c/full/400,/0/default.jpg"
    )
    part = "https://a.example/iiif/x/10,20,500,600/full/90/native.jpg"
    assert iiif_address(part, 400) == "https://a.example/iiif/x/10,20,500,600/400,/90/native.jpg"
    for other in (
        "https://a.example/pic.jpg",
        "file:///full/1,/0/default.jpg",
        None,
        "https://a;script-src b/x/full/1,/0/default.jpg",
    ):
        assert iiif_address(other, 400) is None
