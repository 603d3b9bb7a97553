"""One spelling for eras, ordinals, centuries, decades and dashes, which museums spell in many ways."""

from __future__ import annotations

import datetime
import re
import unicodedata

from simsearch.reading.date_words import EAST_ASIAN_SHARES, GERMAN_SHARES, ORDINALS, ROMAN

BC, AD, HIJRI = "@bc", "@ad", "@ah"
LATEST_HIJRI = 1600
UNREAD = " _ "  # a token that is not understood

# In Italian and Spanish a capital distinguishes "before Christ" from other words.
_CAPITALS = ((re.compile(r"\ba\.\s?C\.?"), f" {BC} "), (re.compile(r"\bd\.\s?C\.?"), f" {AD} "))
_ERAS = (
    (
        r"b\.?\s?c\.?(?:\s?e\b\.?)?|before christ|v\.?\s?chr\.?|v\.?\s?u\.?\s?z\.?|f\.?\s?kr\.?"
        r"|av(?:ant|\.)?\s?j\.?\s?-?\s?c\.?|p\.\s?n\.\s?e\.?|до\s?н\.?\s?э\.?|(?:紀元|公元|西元|纪元)前|기원전|前(?=\s?\d)"
        r"|(?:v\.|vor|voor) ?(?:christus|christi(?: geburt)?)|voor chr\.?|vor unserer zeit(?:rechnung)?"
        r"|avant (?:jésus-christ|notre ère)|avanti cristo|a(?:ntes|\.) de c(?:risto|\.)|antes de nuestra era"
        r"|v\.(?=\s*(?:[-–—/]|bis)[^,;]*\bn\.\s?chr)",
        BC,
    ),
    (
        r"a\.?\s?d\.?|c\.?\s?e\.?|anno domini|after christ|n\.?\s?chr\.?|n\.?\s?u\.?\s?z\.?|e\.?\s?kr\.?"
        r"|apr?(?:ès|es|\.)?\s?j\.?\s?-?\s?c\.?|н\.?\s?э\.?|公元|西元|nach christus|après jésus-christ|dopo cristo",
        AD,
    ),
    (r"a\.?\s?h\.?|anno hegirae|hijri|hegira|(?:de l['’])?h[ée]gire", HIJRI),
)
_LETTER = r"[^\W\d_]"
_ERA_WORDS = tuple(
    (re.compile(rf"(?<!{_LETTER})(?<!{_LETTER}\.)(?<!@)(?:{words})(?!{_LETTER})"), f" {era} ")
    for words, era in _ERAS
)

_CENTURY = r"centur(?:y|ies)|cent\b\.?|jahrhunderts?|jhd?t?s?\b\.?|siècles?|siecles?|eeuw|secol[oi]|sec\.|siglos?|世[紀纪]|세기"
_MILLENNIUM = r"millenni(?:um|a|ums)|mill\b\.?|jahrtausends?|jt\b\.?|millénaires?|millennium"
_ROMAN_WORDS = r"(x{0,2}(?:ix|iv|v?i{0,3}))"
_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"

# Rewrites in order: each works on the result of the one before.
_REWRITES = (
    (re.compile(r"[‐‑−]"), "-"),
    (re.compile(r"\s*[‒–—―]\s*"), " - "),
    (re.compile(r"(?<=[^\W_])\s*[~〜]\s*(?=[^\W_])"), " - "),
    (re.compile(r"(?:^|(?<=[,;(]))[^\d,;()]*\b(?:cop(?:y|ies)|replicas?|imitations?|reproductions?|style|manner) (?:of|after)\b[^,;()]*"), UNREAD),
    (re.compile(r"[(\[]\s*(@\w+)\s*[)\]]"), r" \1 "),
    (re.compile(r"\(\s*\?\s*\)|(?<=\d{4})\s?\?|(?<!\w)\?\s*(?=\d)"), " "),
    (re.compile(r"(\d{4}\s*[-/]\s*\d{1,2})\s?\?"), r"\1"),
    (re.compile(r"(?:@ah\s*)?(?<!\d)(\d{1,4})\s*[/(\[]\s*(\d{4})(\s*-\s*\d{2,4})?(?!\d)\s?[)\]]?"), lambda match: _gregorian(match)),
    (re.compile(r"(?<![\d,.])(\d{1,3})[,.\u2009\u202f ](\d{3})(?=\s*(?:(?:-|to|or)\s*(?:ca?\.?\s*)?[\d,.]+\s*)?@bc)"), r"\1\2"),
    (re.compile(r"(?<!\d)(-?)\+?(\d{4})-\d{2}-\d{2}(?:[t ]\d\d?:[\d:.]+\s?(?:z\b|[+-]\d\d:?(?:\d\d)?)?|t\d\d)?(?!\d)"), r"\1\2"),
    (re.compile(r"(?<![\d.])\d{1,2}[./-]\d{1,2}[./-](\d{4})(?!\d)"), r"\1"),
    (re.compile(rf"(?<![\d.]){_MONTH}[./-](\d{{4}})(?!\d)"), r"\1"),
    (re.compile(rf"(?<![\d.,])(\d{{4}})\.(?:0+|{_MONTH}(?:\.{_DAY})?)(?!\.?\d)"), r"\1"),
    # Numbers that are no years: 12.5, 1,888, 2010.123.4, 1888,0512.3, 1e5, 1:1250.
    (re.compile(r"(?<![\d.])(?:\d{4},)?\d+(?:\.\d+)+|(?<![\d,])\d{1,3}(?:,\d{3})+(?!\d)|(?<!\w)\d+e[+-]?\d+(?!\w)|(?<![\d:])\d{1,2}:\d{3,}"), UNREAD),
    (re.compile(r"\bb\.\s?e\."), UNREAD),  # years of the Buddhist era
    (re.compile(r"(?<!\d)(1\d|20)(?:--|xx|\.\.)(?![\w.-])"), r"\g<1>00s"),
    (re.compile(r"(?<!\d)(1\d\d|20\d)x(?!\w)"), r"\g<1>0s"),
    (re.compile(r"(\d{2,3}0)['’]?s\b|(\d{3}0)(?:er\b|年代|년대)"), lambda match: f"{match.group(1) or match.group(2)}s"),
    (re.compile(r"(\d{1,2})\s?(?:世[紀纪]|세기)\s?(" + "|".join(EAST_ASIAN_SHARES) + ")"), lambda match: f"{EAST_ASIAN_SHARES[match.group(2)]} {match.group(1)}th century"),
    (re.compile(r"([1-4])/([234])(?=\.?\s+(?:of\s+(?:the\s+)?|des\s+)?\d{1,2}(?:th|st|nd|rd|\.))"), lambda match: f"{match.group(1)}th {('half', 'drittel', 'quarter')[int(match.group(2)) - 2]} "),
    (re.compile(r"\b([eam])\.\s?(?=\d{1,2}\.\s?jh)|(?<=\d)\.\s?([hvd])\.(?=\s?\d{1,2}\.\s?jh)"), lambda match: GERMAN_SHARES[match.group().strip(" .")]),
    (re.compile(rf"\b(?:siglos?|secolo|sec\.|s\.)\s*{_ROMAN_WORDS}\b"), lambda match: _roman(match, " @century")),
    (re.compile(rf"\b({_ROMAN_WORDS}|\d{{1,2}})(er?|ème|è)\s+s\.(?!\w)"), r"\1\3 siècle"),
    (re.compile(rf"\b{_ROMAN_WORDS}(?:er?|ème|eme|è)?(?=(?:\s*(?:-|/|or|et|to)\s*(?:début |milieu |fin |early |mid |late )?[ivx]+(?:er?|ème|eme|è)?)?[\s-]*(?:{_CENTURY}))"), lambda match: _roman(match, "")),
    (re.compile(r"(\d+)(?:st|nd|rd|th|de|ste|e|er|re|ère|ème|eme|è|nde)\b"), r"\1th"),
    (re.compile(rf"(\d+)\.(?=[\s-]*(?:{_CENTURY}|{_MILLENNIUM}|hälfte|viertel|drittel|(?:-|/|bis|und)\s*\d+\.))"), r"\1th"),
    (re.compile(r"(\d)\s?(?=世[紀纪]|세기)"), r"\1th"),
    (re.compile(r"(?<!\d)(\d{1,2}) ?c\b\.?(?!\s*\d)"), r"\1th century"),
    (re.compile(r"\bmiddle third\b"), "middle"),
    (re.compile(rf"(?<=\w)\s+thirds?\b(?!\s*(?:{_CENTURY}|{_MILLENNIUM}))"), " drittel"),
    (re.compile(r"\bfirst (?=(?:exhibited|issued|printed|published)\b)"), " "),
    (re.compile(r"\b(" + "|".join(ORDINALS) + r")\b"), lambda match: ORDINALS[match.group()]),
    (re.compile(r"(?<=\dth)\s?\?"), " "),
    (re.compile(r"\b(?:latter|later) (?=half|part|\d{1,2}th)"), lambda match: f"2th {'' if match.string[match.end()].isalpha() else 'half '}"),
    (re.compile(rf"(?<=[\s\dh-])(?:{_CENTURY})|(?<=\dth)\s?c\b\.?"), " @century "),
    (re.compile(rf"(?<=[\s\dh-])(?:{_MILLENNIUM})"), " @millennium "),
    (re.compile(r"(?<!\d)(\d{1,2})(?=\s*@century)"), r"\1th"),
    (re.compile(r"(?<![\d-])(\d{1,2})(?=\s*(?:-|/|or|to)\s*\d{1,2}th\s*@century)"), r"\1th"),
    (re.compile(r"\bno\b\.?\s*(?=\d)"), " number "),
    (re.compile(r"(?<=th)-(?=\s*@)"), " "),
    (re.compile(r"-to-"), " to "),
    (re.compile(r"\b(mid|early|late)-"), r"\1 "),
)  # fmt: skip

# "188?" and "188-" may be the year 188 or one from 1880 on. A dash in front may be a minus. "A.C." stands
# for either era. "5000 years ago" names no year. "C19" may be a century, "14/20" a print of an edition, and
# "12 in" a length. "5th century before our era" has an era that is not known.
AMBIGUOUS = re.compile(
    r"(?<!\d)\d{1,3}\?|(?<!\d)\d{1,3} ?-\s*(?:$|[\])-])|^\s*-\s+\d|\ba\.\s?c\.|\b(?:ago|bp|old)\b|['’]\d\d\b|\ufffd"
    r"|\bc\d\d?(?!\d)|^\W*(?:\d\d? ?/ ?\d{1,3}|(?:1[3-9]|[2-9]\d) ?/ ?\d{4})\W*$|\d in\W*$"
    r"|(?<!\d)\d{2,3}[(\[{]\d{1,2}[)\]}]|\b(?:années|anni|años|jaren)\s\d\d(?!\d)"
    r"|(?:@century|@millennium)\s+(?:avant|avanti|antes|before|v|voor|vor|до)\b"
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


def convert_hijri(year: int) -> int:
    """The Gregorian year in which a Hijri year begins, by the tabular calendar."""
    days = (year - 1) * 354 + (3 + 11 * year) // 30
    return (datetime.date(622, 7, 19) + datetime.timedelta(days=days)).year


def _gregorian(match: re.Match[str]) -> str:
    """1840 of "1256/1840" and "1256 [1840-41]", where the first number is the same year by the Hijri
    calendar. Other numbers stay."""
    hijri, year = int(match.group(1)), int(match.group(2))
    same = 1 <= hijri <= LATEST_HIJRI and year - convert_hijri(hijri) in (0, 1)
    return f" {year}{match.group(3) or ''} " if same else match.group()


def _roman(match: re.Match[str], after: str) -> str:
    number = ROMAN.get(match.group(1))
    return match.group() if number is None else f"{number}th{after}"
