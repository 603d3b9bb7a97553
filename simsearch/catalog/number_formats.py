"""A spreadsheet's number formats: zeros and words around a number, and days, months, years.

A number that a format rounds, separates or converts (percent, fractions) gets no text here: it stays as
it is stored.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

Show = Callable[[Decimal], str | None]
"""The text of a number. None if the number stays as it is stored."""

# A format's parts: words in quotes or behind a backslash, blanks of a letter's width, fillings,
# brackets, the word General, letters.
_PART = re.compile(
    r'"([^"]*)"|\\(.)|(_.|\*.)|(\[[^\]]*\])|(General)|(.)', re.DOTALL | re.IGNORECASE
)
_SECTION = re.compile(r'(?:"[^"]*"|\\.|[^";])*')
_IGNORED = re.compile(
    r"\[(?:\$-[^\]]*|black|white|red|green|blue|cyan|yellow|magenta|color ?\d+)\]", re.I
)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_WORDS = frozenset(" $-+/():!^&'~{}<>=")  # letters that stand for themselves without quotes
_FEBRUARY_29 = 60  # a day of 1900 in spreadsheets that the calendar lacks
_LAST_DAY = 2_958_465  # 9999-12-31
# Formats that every workbook has, by number.
BUILT_IN = {
    2: "0.00", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 47: "mm:ss.0",
}  # fmt: skip


class _Part(NamedTuple):
    """`is_word`: the text is shown as it stands; otherwise it is code."""

    is_word: bool
    text: str


def show_of(code: str, from_1904: bool = False) -> Show | None:
    """A format's function for numbers of at least 0. None if the format shows them as they are stored, or
    in a way that is not supported. `from_1904`: days are counted from that year."""
    section = _SECTION.match(code)
    parts = _parts(section.group()) if section else None
    if parts is None:
        return None
    letters = "".join(text.lower() for is_word, text in parts if not is_word)
    if set(letters) <= set("ymdhs.0:ap/") and set(letters) & set("ymdhs"):
        return _date(letters, from_1904)
    return _number(parts)


def _parts(section: str) -> list[_Part] | None:
    """The parts of a section. None if it has a condition, a currency or a time that may exceed a day."""
    parts = []
    for quoted, escaped, blank, bracket, general, letter in _PART.findall(section):
        if bracket:
            if not _IGNORED.fullmatch(bracket):
                return None
        elif blank:
            parts.append(_Part(True, " " if blank[0] == "_" else ""))
        elif general:
            parts.append(_Part(False, "General"))
        elif quoted or escaped:
            parts.append(_Part(True, quoted or escaped))
        elif letter:
            parts.append(_Part(letter in _WORDS or not letter.isascii(), letter))
    return parts


def _number(parts: list[_Part]) -> Show | None:
    codes = [text for is_word, text in parts if not is_word]
    if not codes:
        return None
    code = "".join(codes)
    words = "".join(text for is_word, text in parts if is_word).strip()
    if codes == ["General"]:
        before, behind = 1, 0
    elif match := re.fullmatch(r"#*(0*)(?:\.(0+))?", code):
        before, behind = len(match[1]), len(match[2] or "")
    else:
        return None
    if not words and before <= 1 and not behind:
        return None
    places = [number for number, part in enumerate(parts) if not part.is_word]
    split = any(part.is_word and part.text.strip() for part in parts[places[0] : places[-1]])
    if split and ("#" in code or "." in code):
        return None

    def show(value: Decimal) -> str | None:
        if value < 0 or (codes != ["General"] and _decimals(value) > behind):
            return None
        if codes == ["General"]:
            digits = format(value, "f")
        else:
            width = before + behind + bool(behind)
            digits = f"{value:0{width}.{behind}f}"
        if not split:
            head = "".join(part.text for part in parts[: places[0]])
            tail = "".join(part.text for part in parts[places[-1] + 1 :])
            return f"{head}{digits}{tail}".strip()
        filled = [part.text for part in parts]
        for number in reversed(places):
            filled[number], digits = digits[-1:], digits[:-1]
        filled[places[0]] = digits + filled[places[0]]
        return "".join(filled).strip()

    return show


def _decimals(value: Decimal) -> int:
    """How many digits a number has behind its point."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _date(letters: str, from_1904: bool) -> Show:
    timed = bool(set(letters) & set("hs"))
    form = "%Y-%m-%d"
    if "y" in letters and not timed and "d" not in letters:
        form = "%Y-%m" if "m" in letters else "%Y"

    def show(value: Decimal) -> str | None:
        if value < 0 or value > _LAST_DAY or (value < 1 and not timed and not from_1904):
            return format(value, "f")  # no day: a sheet shows ##### or 1900-01-00
        if timed:
            return None
        days = int(value)
        if days == _FEBRUARY_29 and not from_1904:
            return {"%Y": "1900", "%Y-%m": "1900-02"}.get(form, "1900-02-29")
        first = dt.date(1904, 1, 1) if from_1904 else dt.date(1899, 12, 30 + (days < _FEBRUARY_29))
        try:
            return (first + dt.timedelta(days)).strftime(form)
        except OverflowError:
            return format(value, "f")

    return show
