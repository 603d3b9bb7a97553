"""The year that a catalog's free-text date begins with.

Museums write the same date in many ways: "ca. 1353–1336 B.C.", "late 18th century", "1635/40",
"A.H. 1260/A.D. 1844", "2e moitié du XVIIIe siècle". A date is split into parts at commas and brackets.
Each part becomes a list of tokens, and the first part that is understood gives the year. Text that is not
understood gives no year: a number that merely might be a year does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from simsearch.reading.date_text import (
    AMBIGUOUS,
    BC,
    HIJRI,
    LATEST_HIJRI,
    convert_hijri,
    normal_text,
)
from simsearch.reading.date_tokens import Part, parts_of
from simsearch.reading.date_words import RANGES

LONGEST = 200  # characters that are read; longer text is prose, not a date
LATEST = 2999
EARLIEST = 99_999  # years before Christ
LAST_CENTURY, LAST_MILLENNIUM = 21, 3
# The form of most dates.
_PLAIN = re.compile(r"(?:c\.|ca\.)? ?([12]\d{3})(?: ?[-–] ?([12]\d{3}))?", re.ASCII)


@lru_cache(maxsize=4096)
def first_year(date: str | None) -> int | None:
    """The year that a date names first: 1888 of "c. 1888–90", −300 of "300 B.C.–A.D. 100".

    Centuries, decades, and their halves or thirds count by their first year: 1700 of "18th century", 1767
    of "late 18th century", 1890 of "1890s". "Before 1650" and "after 1650" count as 1650. None if the date
    is not understood.
    """
    if not date or len(date) > LONGEST:
        return None
    plain = _PLAIN.fullmatch(date)
    if plain and plain[1] <= (plain[2] or plain[1]):
        return int(plain[1])
    text = normal_text(date)
    if AMBIGUOUS.search(text):
        return None
    hijri: int | None = None
    for part in parts_of(text):
        for year, era in _years(part):
            if era != HIJRI:
                return year
            hijri = year if hijri is None else hijri
    return hijri


def year_text(year: int) -> str:
    """The year as people write it."""
    return f"{-year} B.C." if year < 0 else str(year)


def _years(part: Part) -> Iterator[tuple[int, str]]:
    """Every year that the part names, with its era. Behind a number that may be a year or something else,
    only years with an era count: the number may be the year that the part begins with."""
    unsure = False
    for place, token in enumerate(part.tokens):
        if token.kind not in ("ordinal", "number"):
            continue
        year = _century(part, place) if token.kind == "ordinal" else _number(part, place)
        unread = _ends_unread_range(part, place)
        if year is not None and (year[1] or not (unsure or unread)):
            yield year
        unsure |= unread or (token.doubtful and 1000 <= token.value <= LATEST)


def _ends_unread_range(part: Part, place: int) -> bool:
    """Whether the year at `place` ends a range whose beginning is not understood: 1660 of "zzz–1660"."""
    while part.kind(place - 1) in ("share", "era"):
        place -= 1
    return part.text(place - 1) in RANGES and part.kind(place - 2) == "unknown"


def _century(part: Part, place: int) -> tuple[int, str] | None:
    """The first year of the century or millennium whose number stands at `place`."""
    end = place + 1
    joining = ("ordinal", "separator", "share")
    while part.kind(end) in joining:
        end += 1
    if part.kind(end) != "century":
        return None
    length = 1000 if part.text(end) == "@millennium" else 100
    share = _share_before(part, place)
    if share == (0, 1) and part.kind(end + 1) == "share" and not part.kind(end + 2):
        share = part.tokens[end + 1].share  # "18th century late"
    era = _era_before(part, place) or _era_after(part, end)
    number = part.tokens[place].value
    last = LAST_CENTURY if length == 100 else LAST_MILLENNIUM
    if not 1 <= number <= (EARLIEST // 1000 if era == BC else last):
        return None
    if era == HIJRI:
        first = (number - 1) * length + 1
        return (convert_hijri(first), era) if first <= LATEST_HIJRI else None
    start = -number * length if era == BC else (number - 1) * length
    return _start_of_share(start, length, share) or 1, era


def _number(part: Part, place: int) -> tuple[int, str] | None:
    """The year of the number at `place`. None if the number may be something else."""
    token = part.tokens[place]
    era = _era_before(part, place) or _era_after(part, place)
    if not token.value or len(token.text) > 5 or part.kind(place + 1) == "century":
        return None
    if token.decade:
        return _decade(part, place, era)
    if era == HIJRI or _range_in_hijri(part, place):
        return (convert_hijri(token.value), HIJRI) if token.value <= LATEST_HIJRI else None
    if era == BC:
        return -token.value, era
    if token.negative:
        return -token.value, era
    if era:
        return (token.value, era) if token.value <= LATEST else None
    return (token.value, "") if _may_be_year(part, place) else None


def _may_be_year(part: Part, place: int) -> bool:
    """Whether a number without an era is a year, by its digits and by the words beside it."""
    token = part.tokens[place]
    beside = (part.kind(place - 1), part.kind(place + 1))
    after_day = beside[0] == "ordinal" and part.kind(place - 2) == "month"
    if token.doubtful or ("ordinal" in beside and not after_day) or _descends(part, place):
        return False
    if len(token.text) == 4 and token.text[0] != "0":
        return token.value <= LATEST
    if not part.understood or len(token.text) > 4 or "number" in beside:
        return False
    if token.value >= 100:
        return True
    numbers = [other for other in part.tokens if other.kind == "number"]
    months = any(other.kind == "month" for other in part.tokens)
    short = all(other.value < 1000 for other in numbers)
    return part.alone and short and len(numbers) <= 2 and not months


def _descends(part: Part, place: int) -> bool:
    """Whether the number belongs to a range such as "1353–1336", whose years may be those before Christ."""
    for first in (place, place - 2):
        if (
            part.text(first + 1) in RANGES
            and (part.kind(first), part.kind(first + 2)) == ("number",) * 2
        ):
            start, end = part.text(first), part.text(first + 2)
            if len(start) == len(end) and end < start:
                return True
    return False


def _decade(part: Part, place: int, era: str) -> tuple[int, str] | None:
    token = part.tokens[place]
    if len(token.text) < 3 or token.value % 10 or token.value > LATEST or era == HIJRI:
        return None
    length = 100 if token.value % 100 == 0 else 10
    start = -(token.value + length - 1) if era == BC else token.value
    return _start_of_share(start, length, _share_before(part, place)), era


def _share_before(part: Part, place: int) -> tuple[int, int]:
    """The share named before `place`, the first of several ("mid- to late"). (0, 1) means all."""
    share = (0, 1)
    while part.kind(place - 1) == "share" or (
        part.kind(place - 1) == "separator" and part.kind(place - 2) == "share"
    ):
        place -= 1
        if part.kind(place) == "share":
            share = part.tokens[place].share
    return share


def _start_of_share(start: int, length: int, share: tuple[int, int]) -> int:
    return start + round(length * share[0] / share[1])


def _era_before(part: Part, place: int) -> str:
    while part.kind(place - 1) == "share":
        place -= 1
    if part.kind(place - 1) != "era":
        return ""
    # In "100 B.C. 50" the era belongs to the number before it.
    return part.text(place - 1) if part.kind(place - 2) not in ("number", "century") else ""


def _era_after(part: Part, place: int) -> str:
    """The era after `place`, or after the end of the range that begins there."""
    if part.kind(place + 1) == "era":
        return part.text(place + 1)
    ends = ("number", "ordinal", "century", "share")
    place += 1
    if part.kind(place) != "separator":
        return ""
    while part.kind(place) in (*ends, "separator"):
        place += 1
    behind = part.kind(place - 1) in ("number", "century")
    return part.text(place) if behind and part.kind(place) == "era" else ""


def _range_in_hijri(part: Part, place: int) -> bool:
    """Whether the number ends a range of Hijri years: 1262 of "A.H. 1260–1262"."""
    return part.text(place - 1) == "-" and _is_hijri(part, place - 2)


def _is_hijri(part: Part, place: int) -> bool:
    return part.kind(place) == "number" and _era_before(part, place) == HIJRI
