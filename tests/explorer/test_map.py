"""The map's files for its scripts, read as the scripts read them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN


def facets_of(data: bytes) -> tuple[dict[str, Any], dict[str, list[str | None]], list[int]]:
    """The head, every artwork's value of each facet, and the years."""
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    arrays = data[4 + length :]
    assert (4 + length) % 4 == 0
    values = {}
    for facet in head["facets"]:
        kind = "<u2" if facet["wide"] else "u1"
        codes = np.frombuffer(arrays, kind, head["artworks"], facet["codes"])
        values[facet["key"]] = [facet["labels"][code - 1] if code else None for code in codes]
    years = np.frombuffer(arrays, "<i4", head["artworks"], head["years"])
    return head, values, years.tolist()


def test_every_artwork_lies_where_it_was_put(site: httpx.Client, snapshot: Snapshot) -> None:
    data = site.get("/map/points", params={"space": GIVEN, "method": "pca"}).content
    points = np.frombuffer(data, "<u2").reshape(-1, 2)
    stored = snapshot.storage.read_table(snapshot.projection_path(GIVEN, "pca"))
    ids = stored["artwork_id"].to_pylist()
    wanted = np.stack([stored["x"].to_numpy(), stored["y"].to_numpy()], axis=1).astype(float)
    cards = site.get("/map/cards", params={"numbers": ".".join(map(str, range(24)))}).json()
    wanted = wanted[[ids.index(card["id"]) for card in cards]]
    span = float(np.ptp(wanted, axis=0).max())
    expected = (wanted - wanted[0]) / span * 65535
    assert np.abs((points.astype(float) - points[0]) - expected).max() <= 1.01
    assert points.min() == 0
    assert points.max() == 65535
    assert site.get("/map/points", params={"space": GIVEN, "method": "umap"}).status_code == 404


def test_facets_say_what_the_catalog_says(site: httpx.Client) -> None:
    head, values, years = facets_of(site.get("/map/facets").content)
    cards = site.get("/map/cards", params={"numbers": ".".join(map(str, range(24)))}).json()
    assert years == [int(card["by"].split("c. ")[1]) for card in cards]
    assert [value.split(",")[0] for value in values["artist"] if value] == [
        card["artists"] for card in cards
    ]
    assert values["medium"].count("etching") == 8
    labels = next(facet["labels"] for facet in head["facets"] if facet["key"] == "medium")
    assert labels == ["oil on canvas", "etching"]
    assert {f"found:{GIVEN}", "period"} <= set(values)
    assert "department" not in values  # no artwork has one


def test_words_find_the_same_on_the_map_as_in_the_list(site: httpx.Client) -> None:
    numbers = np.frombuffer(site.get("/map/found", params={"q": "etude 185"}).content, "<u4")
    cards = site.get("/map/cards", params={"numbers": ".".join(map(str, numbers))}).json()
    listed = site.get("/api/v1/artworks", params={"q": "etude 185"}).json()["artworks"]
    assert [card["id"] for card in cards] == [row["artwork_id"] for row in listed]


@pytest.mark.parametrize("numbers", ["24", "1.", "-1", "a", "", "0." * 200 + "0", "9" * 12])
def test_cards_of_no_artwork_are_refused(site: httpx.Client, numbers: str) -> None:
    answer = site.get("/map/cards", params={"numbers": numbers})
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_the_map_opens_on_an_artwork(site: httpx.Client) -> None:
    assert 'data-wanted="3"' in site.get("/map", params={"id": "a/003?&é"}).text
    assert site.get("/map", params={"id": "no such"}).status_code == 404
