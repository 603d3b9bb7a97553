"""The parts of a date as lists of tokens: numbers, ordinals, eras, shares of a century, separators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from simsearch.reading.date_words import LAST, MONTHS, PARTS, SEPARATORS, SHARES, WORDS

_TOKEN = re.compile(
    r"@[a-z]+|(?:(?<![^\s(\[/])-)?\d+(?:s\b|th\b)?|[^\W\d_]+|[^\s\w.,:'\"*~©<>≤≥]|_"
)

_NUMBER = re.compile(r"(-?)(\d+)(s|th)?")


@dataclass(frozen=True)
class Token:
    """A word of a part. `kind`: number, ordinal, era, share, century, separator, month, known or unknown.

    `text` is the word or the digits. A number is `negative` behind a minus sign, and a `decade` with an s
    ("1890s"). `share` = (k, n) is a piece of a century: the k-th of n, counted from 0. A number is
    `doubtful` beside an unknown word, which may give it another meaning."""

    kind: str
    text: str
    negative: bool = False
    decade: bool = False
    share: tuple[int, int] = (0, 1)
    doubtful: bool = False

    @property
    def value(self) -> int:
        return int(self.text)


@dataclass(frozen=True)
class Part:
    """The tokens of a part of a date, and whether it is the only part."""

    tokens: tuple[Token, ...]
    alone: bool

    @property
    def understood(self) -> bool:
        return all(token.kind != "unknown" for token in self.tokens)

    def kind(self, place: int) -> str:
        return self.tokens[place].kind if 0 <= place < len(self.tokens) else ""

    def text(self, place: int) -> str:
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""


def parts_of(text: str) -> Iterator[Part]:
    """The date's parts, with those in brackets last. A part that is only a share of a century belongs to the
    part before: "19th century, second half"."""
    inner: list[str] = []

    def keep(match: re.Match[str]) -> str:
        inner.append(match.group(1))
        return " "

    outer = re.sub(r"[(\[{]([^()\[\]{}]*)[)\]}]", keep, text)
    texts = [piece for whole in (outer, *inner) for piece in re.split(r"[,;|]", whole)]
    texts = [piece for piece in texts if piece.strip()]
    parts = [tuple(_tokens(piece)) for piece in texts]
    for place, tokens in enumerate(parts):
        following = parts[place + 1] if place + 1 < len(parts) else ()
        if following and all(token.kind == "share" for token in following):
            tokens = _insert_shares(tokens, following)
        yield Part(tokens, alone=len(texts) == 1)


def _insert_shares(tokens: tuple[Token, ...], shares: tuple[Token, ...]) -> tuple[Token, ...]:
    """The tokens of a part, with shares inserted before its century or decade, if it has only one and no
    share of it yet."""
    places = [n for n, token in enumerate(tokens) if token.kind == "ordinal" or token.decade]
    if len(places) != 1 or any(token.kind == "share" for token in tokens):
        return tokens
    return (*tokens[: places[0]], *shares, *tokens[places[0] :])


def _tokens(text: str) -> Iterator[Token]:
    tokens = [_token(word) for word in _TOKEN.findall(text)]
    if tokens and tokens[0].kind == "separator" and re.fullmatch(r"[^\W\d]", tokens[0].text):
        tokens[0] = replace(tokens[0], kind="unknown")  # "E 1650" is a number of a list
    place = 0
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if following in SHARES and (token.kind == "ordinal" or token.text == LAST):
            count = SHARES[following]
            k = count - 1 if token.text == LAST else token.value - 1
            within = 0 <= k < count
            yield Token("share" if within else "unknown", following, share=(k, count))
            place += 2
            continue
        if token.kind != "known":  # known words carry no year
            beside = tokens[max(0, place - 1) : place + 2]
            yield replace(token, doubtful=any(other.kind == "unknown" for other in beside))
        place += 1


def _token(word: str) -> Token:
    if word[0] == "@":
        return Token("century" if word in ("@century", "@millennium") else "era", word)
    if number := _NUMBER.fullmatch(word):
        minus, digits, ending = number.groups()
        if ending == "th":
            return Token("ordinal", digits)
        return Token("number", digits, bool(minus), ending == "s")
    if word in SEPARATORS:
        return Token("separator", word)
    if word in MONTHS:
        return Token("month", word)
    if word in PARTS:
        return Token("share", word, share=PARTS[word])
    return Token("known" if word in WORDS or word == LAST else "unknown", word)
