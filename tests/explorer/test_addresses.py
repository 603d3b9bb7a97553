"""Addresses of nothing, names of files and endless texts, all over HTTP."""

from __future__ import annotations

import re
from unicodedata import category
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.reading.artworks import LONG, SHORT, shorten
from simsearch.reading.downloads import disposition, file_name
from tests.support.odd_gallery import ENDLESS


@pytest.mark.slow
def test_every_page_says_which_parameters_it_does_not_know(site: httpx.Client) -> None:
    for view in ("/", "/map", "/sets", "/recovery", "/runs", "/findings/hubs", "/picture"):
        page = site.get(view, params={"sort": "year"}).text
        assert "something that this page does not know: sort." in page, view
        assert "does not know" not in site.get(view).text
    known = {"colour": "medium", "is.medium": "oil", "q": "a", "at": "0_0_1", "set_name": "x"}
    assert "does not know" not in site.get("/map", params=known).text
    assert "There is no page 99: there is one page." in site.get("/", params={"page": "99"}).text
    assert "There is no page 0" in site.get("/", params={"page": "0"}).text
    for plain in (
        {"page": "1"},
        {"page": "01"},
        {"page": " 1"},
        {"utm_source": "letter", "fbclid": "x"},
    ):
        text = site.get("/", params=plain).text
        assert "There is no page" not in text
        assert "does not know" not in text
    for view, query in (
        ("/artwork?id=none", {}),
        ("/map", {"space": "no"}),
        ("/", {"snapshot": "no"}),
    ):
        assert site.get(view, params=query or None).status_code == 404


@pytest.mark.slow
def test_several_values_of_a_parameter_are_said(site: httpx.Client) -> None:
    words = "The address has several values of q, page. The last one counts."
    assert words in site.get("/?q=nothing&q=script&page=2&page=1").text
    for address in ("/?q=a&q=a", "/artwork?id=a/000?%26e&space=resnet18&space=squeezenet1_1"):
        page = site.get(address)
        assert page.status_code == 200
        assert "several values" not in page.text
    zero = site.get("/recovery", params={"k": "0"})  # the page showed the last k in its place
    assert zero.status_code == 400
    assert "was not evaluated; choose one of 1, 3, 5" in zero.text


@pytest.mark.parametrize(
    ("title", "ending", "name"),
    [
        ("set abc", "csv", "set-abc.csv"),
        ("set abc", "parquet", "set-abc.parquet"),
        ("set abc", "json", "set-abc.json"),
        ("set a/b\\c: d?", "csv", "set-a-b-c-d.csv"),
        ("set ../../etc/passwd", "csv", "set-etc-passwd.csv"),
        ("set Étude", "csv", "set-Étude.csv"),
        ("set 日本", "csv", "set-日本.csv"),
        ("set हिन्दी चित्र", "csv", "set-हिन्दी-चित्र.csv"),  # vowels are marks there
        ("set ภาพวาดที่ 2", "csv", "set-ภาพวาดที่-2.csv"),
        ("...", "csv", "unnamed.csv"),
        ("set " + "x" * 500, "csv", f"set-{'x' * 76}.csv"),
    ],
)
def test_a_file_is_called_after_what_is_in_it(title: str, ending: str, name: str) -> None:
    assert file_name(title, ending) == name


@pytest.mark.slow
@given(st.text(max_size=200), st.sampled_from(["csv", "parquet", "json"]))
def test_every_title_makes_a_safe_name(title: str, ending: str) -> None:
    name = file_name(title, ending)
    stem, _, end = name.rpartition(".")
    assert end == ending
    assert all(letter == "-" or category(letter)[0] in "LMN" for letter in stem)
    assert stem
    assert file_name(stem, ending) == name
    header = disposition(name)
    header.encode("ascii")
    assert not set("\r\n") & set(header)
    if "filename*" in header:
        assert unquote(header.partition("UTF-8''")[2]) == name


@pytest.mark.parametrize(
    ("address", "words"),
    [
        *((f"/?year_from={year}", "is no year; give a number such as 1888") for year in ("-", "−", "18x", "300 B.C.")),
        ("/api/v1/artworks?year_to=-", "is no year"),
        ("/zoom?id=a/001?%26é&x=left", "x: "),
        ("/zoom?id=a/001?%26é&y=nan", "y: "),
        ("/zoom?id=a/001?%26é&zoom=-2", "zoom: "),
        ("/compare?id=a/001?%26é&other=a/002?%26e&at=2", "at: "),
        ("/compare?id=a/001?%26é&other=a/002?%26e&mode=x", "mode: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_an_address_is_refused_in_words(
    site: httpx.Client, address: str, words: str
) -> None:
    answer = site.get(address)
    assert answer.status_code == 400
    assert words in answer.text


def test_a_set_is_saved_under_its_name(site: httpx.Client) -> None:
    for ending, path in (
        ("csv", "set.csv"),
        ("parquet", "set.parquet"),
        ("json", "set/manifest.json"),
    ):
        answer = site.get(f"/{path}", params={"ids": "AAAA", "name": "abc"})
        handling = "inline" if ending == "json" else "attachment"  # a manifest is shown
        assert answer.headers["content-disposition"] == f'{handling}; filename="set-abc.{ending}"'


@pytest.mark.slow
def test_no_page_has_a_text_without_end(odd: httpx.Client) -> None:
    """A browser takes seconds for each word of ten thousand letters that it lays out."""
    endless = re.compile(f"{ENDLESS[0]}{{{SHORT + 1},}}")
    own_id, other = "a/008?&e", "a/001?&é"
    views: list[tuple[str, dict[str, str]]] = [
        ("/", {}), ("/set", {"ids": "CAA"}), ("/artwork", {"id": other}), ("/runs", {}),
        ("/walk", {"id": other, "to": own_id}), ("/alike", {"id": other, "other": own_id}),
        ("/detail", {"id": own_id}), ("/zoom", {"id": own_id}),
        ("/compare", {"id": other, "other": own_id}), ("/findings", {}), ("/recovery", {}),
        ("/map/cards", {"numbers": "8.1"}), ("/map/facets", {}),
        *((f"/findings/{name}", {}) for name in ("hubs", "other-hands", "duplicates", "placeholders", "disagreement")),
    ]  # fmt: skip
    for view, query in views:
        answer = odd.get(view, params=query)
        assert answer.status_code == 200
        assert not endless.search(answer.text), view
    own = odd.get("/artwork", params={"id": own_id}).text
    assert ENDLESS[: LONG - 1] in own
    assert ENDLESS[: LONG + 1] not in own
    assert ENDLESS in odd.get("/set.csv", params={"ids": "CA"}).text  # files have all of it
    assert ENDLESS in odd.get("/api/v1/artwork", params={"id": own_id}).text


@given(st.text(max_size=50), st.integers(1, 60))
def test_a_short_text_is_whole_and_a_long_one_ends_in_an_ellipsis(text: str, most: int) -> None:
    shown = shorten(text, most)
    assert len(shown) <= most
    assert shown == text if len(text) <= most else shown.endswith("…")


def test_a_shown_text_turns_no_writing_beside_it() -> None:
    marks = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert shorten(f"Étude{marks} 1888") == "Étude 1888"
    assert shorten("شعر \u200f1888") == "شعر \u200f1888"


def test_an_address_is_repeated_only_so_far(site: httpx.Client) -> None:
    long = "x" * 5000
    for address in ("/recovery?metric=", "/recovery?profile=", "/findings/other-hands?space="):
        refused = site.get(address + long)
        assert refused.status_code == 400
        assert "x" * 61 not in refused.text
        assert "choose one of" in refused.text
    many = site.get(
        "/?" + "&".join(f"{letter}{number}=1" for letter in "xyz" for number in range(100))
    )
    assert "does not know: x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 290 others." in many.text
