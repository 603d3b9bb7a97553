"""The words of a search and the form in which they are compared: one rule for all searches.

`static/words.js` has the same rule for browsers. Both are tested with the cases of
`tests/support/search_cases.py`.

Case, accents and punctuation do not count. Every word has to be found, anywhere in the text, also
within a longer word. Words in quotes are a phrase: they have to follow each other as whole words. Any
apostrophe is the same apostrophe, and one between two letters may be left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

WORDS_READ = 12  # of a search; the rest of a pasted page is ignored
LONGEST_READ = 20_000  # characters of a field
APOSTROPHES = "'’‘‛ʼʹʻ′`´＇"
QUOTES = '"“”„‟«»″＂'
_LETTERS = {"ß": "ss", "ς": "σ", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŧ": "t", "þ": "th"}  # fmt: skip
_FOLDS = str.maketrans(_LETTERS | dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(QUOTES, '"'))
_ASCII_OTHER = re.compile(r"[^a-z0-9'\"]+")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\s'])'(?=[^\s'])")
_TERM = re.compile(r'"([^"]*)("|$)|[^"\s]+')


def fold_text(text: str) -> str:
    """Lower case without accents and punctuation, with one space between words: "Étude, no. 2" is
    "etude no 2"."""
    return " ".join(_fold_letters(text).replace('"', " ").split())


def search_text(fields: Iterable[str]) -> str:
    """The fields of an artwork in the form for `matches`."""
    return "\n".join(_field(field) for field in fields)


def search_terms(query: str) -> list[str] | None:
    """The first WORDS_READ words and phrases of a query. None for a query without any letter or digit."""
    terms = []
    for match in _TERM.finditer(_fold_letters(query)):
        quoted = match.group(1) is not None
        words = _remove_apostrophes(match.group(1) if quoted else match.group())
        words = " ".join(words.split()) if quoted else _unquote(words)
        if not words.strip("' "):
            continue
        # A phrase that is still being typed may end within a word.
        terms.append(f" {words}{' ' if match.group(2) else ''}" if quoted else words)
    return terms[:WORDS_READ] or None


def matches(terms: Sequence[str], text: str) -> bool:
    """Whether a `search_text` contains all terms."""
    return all(term in text for term in terms)


def _fold_letters(text: str) -> str:
    if text.isascii():  # most of a catalog, and many times as fast
        return _ASCII_OTHER.sub(" ", text.lower().replace("`", "'"))
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLDS))
    letters = "".join(letter for letter in decomposed if unicodedata.category(letter)[0] != "M")
    lowered = letters.lower().translate(_FOLDS)
    return "".join(
        letter if letter in "'\"" or unicodedata.category(letter)[0] in "LN" else " "
        for letter in lowered
    )


def _field(text: str) -> str:
    words = fold_text(text[:LONGEST_READ])
    joined = _remove_apostrophes(words)
    return f" {words} " if joined == words else f" {words} \n {joined} "


def _remove_apostrophes(text: str) -> str:
    return _BETWEEN_LETTERS.sub("", text)


def _unquote(word: str) -> str:
    return word.strip("'") if word.startswith("'") else word
