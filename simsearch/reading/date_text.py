"""One spelling for eras, ordinals, centuries, decades and dashes, which museums spell in many ways."""

from __future__ import annotations

import re
import unicodedata

from simsearch.reading.date_words import ORDINALS, ROMAN

BC, AD, HIJRI = "@bc", "@ad", "@ah"

# In Italian and Spanish a capital distinguishes "before Christ" from other words.
_CAPITALS = ((re.compile(r"\ba\.\s?C\.?"), f" {BC} "), (re.compile(r"\bd\.\s?C\.?"), f" {AD} "))
_ERAS = (
    (
        r"b\.?\s?c\.?(?:\s?e\b\.?)?|before christ|v\.?\s?chr\.?|v\.?\s?u\.?\s?z\.?|f\.?\s?kr\.?"
        r"|av(?:ant|\.)?\s?j\.?\s?-?\s?c\.?|p\.\s?n\.\s?e\.?|до\s?н\.?\s?э\.?|(?:紀元|公元|西元|纪元)前|前(?=\s?\d)",
        BC,
    ),
    (
        r"a\.?\s?d\.?|c\.?\s?e\.?|anno domini|after christ|n\.?\s?chr\.?|n\.?\s?u\.?\s?z\.?|e\.?\s?kr\.?"
        r"|apr?(?:ès|es|\.)?\s?j\.?\s?-?\s?c\.?|н\.?\s?э\.?",
        AD,
    ),
    (r"a\.?\s?h\.?|anno hegirae|hijri|hegira", HIJRI),
)
_LETTER = r"[^\W\d_]"
_ERA_WORDS = tuple(
    (re.compile(rf"(?<!{_LETTER})(?<!{_LETTER}\.)(?<!@)(?:{words})(?!{_LETTER})"), f" {era} ")
    for words, era in _ERAS
)

_CENTURY = r"centur(?:y|ies)|cent\b\.?|jahrhunderts?|jhd?t?s?\b\.?|siècles?|siecles?|eeuw|secol[oi]|sec\.|siglos?|世紀"
_MILLENNIUM = r"millenni(?:um|a|ums)|mill\b\.?|jahrtausends?|jt\b\.?|millénaires?|millennium"
_ROMAN_WORDS = r"(x{0,2}(?:ix|iv|v?i{0,3}))"

# Rewrites in order: each works on the result of the one before.
_REWRITES = (
    (re.compile(r"[‐‑−]"), "-"),
    (re.compile(r"\s*[‒–—―]\s*"), " - "),
    (re.compile(r"\(\s*\?\s*\)|(?<=\d{4})\s?\?"), " "),
    (re.compile(r"(?<![\d,.])(\d{1,3})[,\u2009\u202f ](\d{3})(?=\s*(?:(?:-|to|or)\s*(?:ca?\.?\s*)?[\d,]+\s*)?@bc)"), r"\1\2"),
    (re.compile(r"(?<!\d)(-?)\+?(\d{4})-\d{2}-\d{2}(?:t[\d:.]+z?)?(?!\d)"), r"\1\2"),
    (re.compile(r"(?<![\d.])\d{1,2}[./-]\d{1,2}[./-](\d{4})(?!\d)"), r"\1"),
    (re.compile(r"(?<![\d.])\d{1,2}[./-](\d{4})(?!\d)"), r"\1"),
    (re.compile(r"(?<!\d)(\d{4})\.0+(?!\d)"), r"\1"),
    (re.compile(r"(?<!\d)(1\d|20)(?:--|xx|\.\.)(?![\w.-])"), r"\g<1>00s"),
    (re.compile(r"(?<!\d)(1\d\d|20\d)x(?!\w)"), r"\g<1>0s"),
    (re.compile(r"(\d{2,3}0)['’]?s\b|(\d{3}0)er\b"), lambda match: f"{match.group(1) or match.group(2)}s"),
    (re.compile(rf"\b(?:siglos?|secolo|sec\.|s\.)\s*{_ROMAN_WORDS}\b"), lambda match: _roman(match, " @century")),
    (re.compile(rf"\b{_ROMAN_WORDS}(?:er?|ème|eme)?(?=(?:\s*(?:-|/|or|et|to)\s*[ivx]+(?:e|ème|eme)?)?[\s-]*(?:{_CENTURY}))"), lambda match: _roman(match, "")),
    (re.compile(r"(\d+)(?:st|nd|rd|th|de|ste|e|er|re|ère|ème|eme|nde)\b"), r"\1th"),
    (re.compile(rf"(\d+)\.(?=[\s-]*(?:{_CENTURY}|{_MILLENNIUM}|hälfte|viertel|drittel|(?:-|/|bis|und)\s*\d+\.))"), r"\1th"),
    (re.compile(r"(\d)(?=世紀)"), r"\1th"),
    (re.compile(r"(?<!\d)(\d{1,2}) ?c\b\.?(?!\s*\d)"), r"\1th century"),
    (re.compile(r"\bmiddle third\b"), "middle"),
    (re.compile(rf"(?<=\w)\s+thirds?\b(?!\s*(?:{_CENTURY}|{_MILLENNIUM}))"), " drittel"),
    (re.compile(r"\b(" + "|".join(ORDINALS) + r")\b"), lambda match: ORDINALS[match.group()]),
    (re.compile(rf"(?<=[\s\dh-])(?:{_CENTURY})|(?<=\dth)\s?c\b\.?"), " @century "),
    (re.compile(rf"(?<=[\s\dh-])(?:{_MILLENNIUM})"), " @millennium "),
    (re.compile(r"(?<![\d-])(\d{1,2})(?=\s*(?:-|/|or|to)\s*\d{1,2}th\s*@century)"), r"\1th"),
    (re.compile(r"\bno\b\.?\s*(?=\d)"), " number "),
    (re.compile(r"(?<=th)-(?=\s*@)"), " "),
    (re.compile(r"\b(mid|early|late)-"), r"\1 "),
)  # fmt: skip

# "188?" and "188-" may be the year 188 or one from 1880 on. A dash in front may be a minus. "A.C." stands
# for either era. "5000 years ago" names no year. "C19" may be a century, and "14/20" a print of an edition.
AMBIGUOUS = re.compile(
    r"(?<!\d)\d{1,3}\?|(?<!\d)\d{1,3} ?-\s*(?:$|[\])-])|^\s*-\s+\d|\ba\.\s?c\.|\b(?:ago|bp|old)\b|['’]\d\d\b|\ufffd"
    r"|\bc\d\d?(?!\d)|^\W*\d\d? ?/ ?\d\d?\W*$"
)


def normal_text(date: str) -> str:
    """The date in lower case, with one spelling for dashes, eras, ordinals, centuries and decades."""
    text = "".join(letter for letter in date if unicodedata.category(letter) != "Cf")  # unseen
    text = unicodedata.normalize("NFKC", text)
    for pattern, era in _CAPITALS:
        text = pattern.sub(era, text)
    text = text.casefold()
    for pattern, era in _ERA_WORDS:
        text = pattern.sub(era, text)
    for pattern, written in _REWRITES:
        text = pattern.sub(written, text)
    return text


def _roman(match: re.Match[str], after: str) -> str:
    number = ROMAN.get(match.group(1))
    return match.group() if number is None else f"{number}th{after}"
