"""The rule of searching, in Python: its cases, and laws that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.reading.words import fold_text, matches, search_terms, search_text
from tests.support.search_cases import NOTHING_ASKED, SEARCHES


@pytest.mark.parametrize(("query", "fields", "finds"), SEARCHES)
def test_a_query_finds_what_it_should(query: str, fields: list[str], finds: bool) -> None:
    terms = search_terms(query)
    assert terms is not None
    assert matches(terms, search_text(fields)) is finds


@pytest.mark.parametrize("query", NOTHING_ASKED)
def test_a_query_without_letters_asks_for_nothing(query: str) -> None:
    assert search_terms(query) is None


@given(st.text(max_size=60))
def test_every_text_is_found_by_itself_in_any_case_and_as_a_phrase(text: str) -> None:
    haystack = search_text([text])
    for query in (text, text.upper(), f'"{fold_text(text)}"'):
        terms = search_terms(query)
        assert terms is None or matches(terms, haystack) or '"' in fold_text(query)
    assert fold_text(fold_text(text)) == fold_text(text)


@given(st.text("abc ", min_size=1, max_size=12), st.text("abc ", max_size=30))
def test_a_phrase_is_a_run_of_whole_words(phrase: str, text: str) -> None:
    terms = search_terms(f'"{phrase}"')
    wanted, words = phrase.split(), text.split()
    if terms is None:
        assert not wanted
        return
    runs = [words[start : start + len(wanted)] for start in range(len(words))]
    assert matches(terms, search_text([text])) == (wanted in runs)
