"""Cells of delimited text: cutting a line into them, taking their quotes off, and what they look like."""

from __future__ import annotations

import re

# The first inner quote ends a word, the last one begins one.
_TWO_QUOTED = re.compile(r'"[^"\s](?:[^"]*[^"\s])?"[\s,.;:)\]].*[\s(\[]"[^"\s][^"]*"', re.DOTALL)
_PICTURE = re.compile(r"://|\.[A-Za-z][A-Za-z0-9]{1,4}$")


def quoted(cells: list[str], delimiter: str) -> str:
    """Cells as a row of valid text."""
    return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells)


def pieces_of(pattern: re.Pattern[str], line: str) -> list[str] | None:
    """The cells of a line as they stand, None where the pattern does not read all of it."""
    pieces = []
    place = 0
    while True:
        match = pattern.match(line, place)
        if match is None:
            return None
        pieces.append(match.group(1))
        if match.end() == match.end(1):  # no delimiter follows
            return pieces
        place = match.end()


def undoubled(cell: str, otherwise: str) -> str:
    """The text of a quoted cell; `otherwise` where the cell is not quoted."""
    if not is_quoted(cell):
        return otherwise
    return cell[1:-1].replace('""', '"')


def loose_text(cell: str) -> str:
    """The text of a cell whose inner quotes need not be doubled: `"12" x 10""` → `12" x 10"`. The outer
    quotes of `"Sun" and "Moon"` are letters too."""
    stripped = cell.strip(" \t")
    return cell if _TWO_QUOTED.fullmatch(stripped) else undoubled(stripped, cell)


def unescaped(cell: str) -> str:
    if len(cell) < 2 or cell[0] != '"':
        return cell
    return re.sub(r'\\(["\\])|"(")', lambda match: match[1] or match[2], cell[1:-1])


def is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == '"' == cell[-1]


def shape_of(cell: str) -> str:
    """What kind of text a cell holds: `1999.10` → `0.0`, `"A-12"` → `"a-0`; `:` is an address or a
    file."""
    mark = '"' if is_quoted(cell) else ""
    cell = cell.strip(' "')
    if _PICTURE.search(cell):
        return f"{mark}:"
    return mark + re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "0", cell))
