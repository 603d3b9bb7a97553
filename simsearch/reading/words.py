"""The words of a search and the form in which they are compared: one rule for all searches.

`static/words.js` has the same rule for browsers. Both are tested with the cases of
`tests/support/search_cases.py`.

Case, accents, punctuation and unseen marks do not count. Every word has to be found, anywhere in the
text, also within a longer word. Words in quotes are a phrase: they have to follow each other as whole
words, in scripts that put spaces between words. Any apostrophe is the same apostrophe. One between two
letters may be left out, and so may single quotes around words. Vowel signs of scripts such as Devanagari
and Thai are letters, not accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_READ = 20_000  # characters of a field
APOSTROPHES = "'’‘‛‚ʼʹʻ′`´＇"
QUOTES = '"“”„‟«»″＂'
_LETTERS = {"ß": "ss", "ς": "σ", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŧ": "t", "þ": "th", "\u06a9": "\u0643", "\u06cc": "\u064a", "\u0649": "\u064a"}  # fmt: skip
# The last three are Persian's and final forms of Arabic letters.
_FOLDS = _LETTERS | dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(QUOTES, '"')
_FIRST_FOLDS = str.maketrans(_FOLDS)
_TATWEEL = "\u0640"  # draws a word out
_ASCII_OTHER = re.compile(r"[^a-z0-9'\"]+")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\s'])'(?=[^\s'])")
_AROUND_WORDS = re.compile(r"(?<!\S)'+|'+(?!\S)")
_TERM = re.compile(r'"([^"]*)("|$)|[^"\s]+')
# Marks that are letters of their scripts: India, Thailand to Myanmar, Cambodia, Japan's voiced sounds.
_LETTER_MARK = re.compile("[\u0900-\u0dff\u0e00-\u109f\u1780-\u17ff\u3099\u309a]")
# Scripts without spaces between words: Thai and Lao, Myanmar, Khmer, Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)


class _Folding(dict[int, str]):
    """What is left of a letter in lower case, by its number: itself, its plain form, a space or nothing."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        category = unicodedata.category(letter)
        if (
            letter in "'\""
            or category[0] in "LN"
            or (category[0] == "M" and _LETTER_MARK.match(letter))
        ):
            plain = letter
        else:
            plain = "" if category[0] == "M" or category == "Cf" else " "
        self[code] = plain
        return plain


_FOLDING = _Folding(_FIRST_FOLDS | {ord(_TATWEEL): ""})


def fold_text(text: str) -> str:
    """Lower case without accents and punctuation, with one space between words: "Étude, no. 2" is
    "etude no 2"."""
    return " ".join(_fold_letters(text).replace('"', " ").split())


def search_text(fields: Iterable[str]) -> str:
    """The fields of an artwork in the form for `matches`."""
    return "\n".join(_field(field) for field in fields)


def search_terms(query: str) -> list[str] | None:
    """The words and phrases of a query. None for a query without any letter or digit."""
    terms = []
    opened = False  # a single quote that the word at its end closes
    for match in _TERM.finditer(_fold_letters(query)):
        quoted = match.group(1) is not None
        words = _remove_apostrophes(match.group(1) if quoted else match.group())
        if quoted:
            words = _unquote(words)
        elif words.startswith("'"):
            opened = not words.endswith("'")
            words = words.strip("'")
        elif opened and words.endswith("'"):
            opened, words = False, words.rstrip("'")
        if not words.strip("' "):
            continue
        # A phrase that is still being typed may end within a word.
        terms.append(_phrase(words, ends=bool(match.group(2))) if quoted else words)
    return terms or None


def matches(terms: Sequence[str], text: str) -> bool:
    """Whether a `search_text` contains all terms."""
    return all(term in text for term in terms)


def _fold_letters(text: str) -> str:
    if text.isascii():  # most of a catalog, and many times as fast
        return _ASCII_OTHER.sub(" ", text.lower().replace("`", "'"))
    decomposed = unicodedata.normalize("NFKD", text.translate(_FIRST_FOLDS))
    return decomposed.lower().translate(_FOLDING)


def _field(text: str) -> str:
    words = fold_text(text[:LONGEST_READ])
    joined = _remove_apostrophes(words)
    return "\n".join(f" {form} " for form in dict.fromkeys((words, joined, _unquote(joined))))


def _phrase(words: str, *, ends: bool) -> str:
    start = "" if _UNSPACED.match(words[0]) else " "
    end = " " if ends and not _UNSPACED.match(words[-1]) else ""
    return f"{start}{words}{end}"


def _remove_apostrophes(text: str) -> str:
    return _BETWEEN_LETTERS.sub("", text)


def _unquote(text: str) -> str:
    return " ".join(_AROUND_WORDS.sub("", text).split())
