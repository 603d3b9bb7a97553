"""Why two artworks are near: matches against plain loops, drawn where they lie, said in words."""

from __future__ import annotations

import re

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.reading.matches import FeatureMap, mutual_matches
from tests.support.explorer_findings import HEAD
from tests.support.explorer_site import GIVEN, NETWORK
from tests.support.gallery import FIRST
from tests.support.markup import one_line

OTHER = "a/002?&e"
PAIR = {"id": FIRST, "other": OTHER}


def random_map(seed: int, rows: int, columns: int) -> FeatureMap:
    return np.random.default_rng(seed).normal(size=(rows, columns, 5)).astype(np.float32)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, 4))
def test_matches_are_each_others_nearest_best_first(seed: int, rows: int, columns: int) -> None:
    first, second = random_map(seed, rows, columns), random_map(seed + 100, columns, rows)

    def cosine(cell: tuple[int, int], other_cell: tuple[int, int]) -> float:
        a, b = first[cell].astype(float), second[other_cell].astype(float)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    cells, others = list(np.ndindex(rows, columns)), list(np.ndindex(columns, rows))
    expected = {
        (cell, other_cell)
        for cell in cells
        for other_cell in others
        if other_cell == max(others, key=lambda second_cell: cosine(cell, second_cell))
        and cell == max(cells, key=lambda first_cell: cosine(first_cell, other_cell))
    }
    matches = mutual_matches(first, second)
    assert {(match.first, match.second) for match in matches} == expected
    scores = [match.score for match in matches]
    assert scores == pytest.approx(sorted((cosine(*pair) for pair in expected), reverse=True))
    back = {(match.second, match.first) for match in mutual_matches(second, first)}
    assert back == expected


def test_an_empty_cell_matches_nothing() -> None:
    same = random_map(1, 3, 3)
    same[1, 1] = 0
    matches = mutual_matches(same, same)
    assert all(match.first == match.second for match in matches)
    assert len(matches) == 8
    assert [match.score for match in matches] == pytest.approx([1.0] * 8)


@pytest.mark.slow
def test_matching_parts_are_numbered_on_both_pictures(site: httpx.Client) -> None:
    parts = site.get("/alike/parts", params={**PAIR, "space": NETWORK}).text
    count = parts.count('<li class="series-')
    assert 1 <= count <= 10
    drawings = parts.split("<svg")[1:]
    assert len(drawings) == 2
    for drawing in drawings:
        numbers = [int(number) for number in re.findall(r">(\d+)</text>", drawing)]
        assert sorted(numbers) == sorted([*range(1, count + 1)] * 2)
        assert len(re.findall(r'<image href="/thumbnails/', drawing)) == 2
    page = site.get("/alike", params={**PAIR, "space": NETWORK}).text
    assert "<svg" not in page  # no network is loaded for the page itself
    assert "Étude no. 2" in page


@pytest.mark.slow
def test_a_space_that_cannot_tell_says_why(site: httpx.Client) -> None:
    parts = site.get("/alike/parts", params={**PAIR, "space": GIVEN}).text
    assert "the weights at hand" in parts
    assert "<svg" not in parts
    assert site.get("/alike/parts", params={**PAIR, "space": "none"}).status_code == 404


@pytest.mark.slow
def test_what_is_shared_and_how_sure_is_said(site: httpx.Client) -> None:
    page = site.get("/alike", params={"id": FIRST, "other": "a/004?&e", "space": GIVEN}).text
    page = one_line(page)
    score = re.search(r"finds them (-?\d\.\d{4}) alike", page)
    neighbours = site.get("/api/v1/neighbours", params={"id": FIRST, "n": 23}).json()["spaces"][
        GIVEN
    ]
    expected = next(neighbour for neighbour in neighbours if neighbour["artwork_id"] == "a/004?&e")
    assert score
    assert float(score[1]) == pytest.approx(expected["score"], abs=2e-4)
    assert '<span class="tag">Bo &amp; &lt;b&gt;Co&lt;/b&gt;</span>' in page
    assert f"The parts are those that match for {GIVEN}. How {HEAD} weighs them" in page
    plain = site.get("/alike", params={"id": FIRST, "other": "a/004?&e", "space": NETWORK}).text
    assert "how sure" in plain.lower()
    assert "The parts are those" not in plain
    assert '<span class="tag">the same decade</span>' in page
    assert page.count("found again</h3>") == 2  # both have copies
    assert page.count("rank 1<") + page.count("rank 2<") >= 4
