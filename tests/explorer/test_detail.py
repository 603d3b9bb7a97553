"""A part of a picture as the question: cut as asked, bounded, answered as the same part given alone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from simsearch.errors import UsageError
from simsearch.reading.box import Box
from tests.support.explorer_site import NETWORK
from tests.support.markup import one_line

PART = {"left": "25", "top": "25", "width": "50", "height": "50"}


def matches(answer: httpx.Response) -> list[tuple[str, float]]:
    assert answer.status_code == 200
    lines = [json.loads(line) for line in answer.text.splitlines()]
    by_space = {line["space"]: line for line in lines if "space" in line}
    return [(match["artwork_id"], match["score"]) for match in by_space[NETWORK]["matches"]]


def middle(folder: Path) -> bytes:
    """The middle quarter of the sixth picture, 200 × 200, as a file of its own."""
    buffer = io.BytesIO()
    Image.open(folder / "gallery" / "005.png").crop((50, 50, 150, 150)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
def test_a_detail_is_answered_as_the_same_part_in_a_file_of_its_own(
    site: httpx.Client, folder: Path
) -> None:
    own = "a/005?&é"
    alone = matches(site.post("/api/v1/query", content=middle(folder), params={"n": 9}))
    detail = matches(site.get("/api/v1/detail", params={"id": own, "n": 8, **PART}))
    assert detail == [match for match in alone if match[0] != own][:8]
    whole = (folder / "gallery" / "005.png").read_bytes()
    given_part = site.post("/api/v1/query", content=whole, params={"n": 9, **PART})
    assert matches(given_part) == alone


@pytest.mark.slow
def test_a_detail_is_found_without_a_script(site: httpx.Client) -> None:
    page = site.get("/detail", params={"id": "a/005?&é", "answered": "1", **PART})
    first = matches(site.get("/api/v1/detail", params={"id": "a/005?&é", **PART}))[0]
    assert page.status_code == 200
    assert f"{first[1]:.4f}</span>" in page.text
    assert 'name="left" value="25"' in one_line(page.text)


@pytest.mark.slow
def test_a_detail_is_asked_of_some_years_alone(site: httpx.Client, folder: Path) -> None:
    """The gallery's artwork number n is of the year 1850 + n."""
    own, years = "a/005?&é", {"year_from": "1853", "year_to": "1859"}
    everyone = dict(matches(site.get("/api/v1/detail", params={"id": own, "n": 23, **PART})))
    asked = matches(site.get("/api/v1/detail", params={"id": own, "n": 8, **PART, **years}))
    assert sorted(int(match[0][2:5]) for match in asked) == [3, 4, 6, 7, 8, 9]  # not itself
    assert [match[1] for match in asked] == sorted((match[1] for match in asked), reverse=True)
    scores = {artwork_id: score for artwork_id, score in asked if artwork_id in everyone}
    assert len(scores) >= 4  # Annoy does not find all that are asked for
    assert scores == pytest.approx({artwork_id: everyone[artwork_id] for artwork_id in scores})
    given_part = site.post("/api/v1/query", content=middle(folder), params={"n": 2, **years})
    assert all(3 <= int(match[0][2:5]) <= 9 for match in matches(given_part))
    none = site.get("/detail", params={"id": own, "answered": "1", **PART, "year_from": "1990"})
    assert "No work of these years" in none.text
    assert site.get("/api/v1/detail", params={"id": own, **PART, "year_to": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"left": "60"}, "does not lie within"),
        ({"width": "0"}, "does not lie within"),
        ({"width": "nan"}, "width"),
        ({"top": "-1"}, "top"),
        ({"height": "1e9"}, "height"),
        ({"height": ""}, "height"),
        ({"width": "2", "height": "2"}, "4 × 4 pixels"),
    ],
)
def test_a_box_that_is_none_is_refused_in_words(
    site: httpx.Client, wrong: dict[str, str], words: str
) -> None:
    for path in ("/api/v1/detail", "/detail"):
        answer = site.get(path, params={"id": "a/005?&é", "answered": "1", **PART, **wrong})
        assert (answer.status_code, words in answer.text) == (400, True)
    missing = {name: value for name, value in PART.items() if name != "left"}
    answer = site.get("/api/v1/detail", params={"id": "a/005?&é", **missing})
    assert "give all four or none" in answer.json()["error"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    sides=st.tuples(*[st.floats(-10, 110) | st.just(float("nan"))] * 4),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_a_cut_part_lies_in_the_picture_and_covers_the_box(
    sides: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    picture = Image.new("RGB", size)
    try:
        part = Box(*sides).cut(picture)
    except UsageError:
        return
    _, _, width, height = sides
    assert 8 <= part.width <= picture.width
    assert 8 <= part.height <= picture.height
    for side, length, whole in ((part.width, width, size[0]), (part.height, height, size[1])):
        assert min(length / 100, 1) * whole - 0.01 * whole <= side <= length / 100 * whole + 2
