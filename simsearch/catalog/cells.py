"""Cells of delimited text: cut a line into cells, remove their quotes, compare their shapes."""

from __future__ import annotations

import re

# The first inner quote ends a word, the last one begins one.
_TWO_QUOTED = re.compile(r'"[^"\s](?:[^"]*[^"\s])?"[\s,.;:)\]].*[\s(\[]"[^"\s][^"]*"', re.DOTALL)
_PICTURE = re.compile(r"://|\.[A-Za-z][A-Za-z0-9]{1,4}$")


def quote_row(cells: list[str], delimiter: str) -> str:
    """The cells as a valid row of text."""
    return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells)


def split_cells(pattern: re.Pattern[str], line: str) -> list[str] | None:
    """The raw cells of a line. None if the pattern does not match the whole line."""
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


def undouble(cell: str, otherwise: str) -> str:
    """The text of a quoted cell. `otherwise` if the cell is not quoted."""
    if not is_quoted(cell):
        return otherwise
    return cell[1:-1].replace('""', '"')


def unquote(cell: str) -> str:
    """The text of a cell whose inner quotes may stand alone: `"12" x 10""` → `12" x 10"`. The outer
    quotes of `"Sun" and "Moon"` are letters too."""
    stripped = cell.strip(" \t")
    return cell if _TWO_QUOTED.fullmatch(stripped) else undouble(stripped, cell)


def unescape(cell: str) -> str:
    if len(cell) < 2 or cell[0] != '"':
        return cell
    return re.sub(r'\\(["\\])|"(")', lambda match: match[1] or match[2], cell[1:-1])


def is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == '"' == cell[-1]


def shape_of(cell: str) -> str:
    """The kind of text in a cell: `1999.10` → `0.0`, `"A-12"` → `"a-0`; `:` for an address or a file
    name."""
    mark = '"' if is_quoted(cell) else ""
    cell = cell.strip(' "')
    if _PICTURE.search(cell):
        return f"{mark}:"
    return mark + re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "0", cell))
