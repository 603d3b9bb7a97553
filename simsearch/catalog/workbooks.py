"""Sheets of Excel and OpenDocument workbooks as records."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import python_calamine as calamine

from simsearch.catalog.image_names import shorten
from simsearch.catalog.notes import Notes
from simsearch.catalog.shown import Shown, Tally
from simsearch.catalog.shown_cells import shown_reader
from simsearch.catalog.unpacking import MAX_UNPACKED, ZIP
from simsearch.errors import CatalogError

OLE = b"\xd0\xcf\x11\xe0"
TITLE_LINES = 20  # above the header, at most
TITLE_CELLS = 2  # filled in such a line, at most

Rows = list[list[Any]]
# The library cannot read a sheet with an error that it does not know, such as #SPILL!.
_ERROR = re.compile(rb"(<(?:\w+:)?v>)#[^<]*(</(?:\w+:)?v>)")
_LENGTH = re.compile(r"PT(\d+)H(\d\d)M(\d\d)S")  # of time, as OpenDocument has it
_BROKEN = (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError, SyntaxError)
_PANIC = "PanicException"  # of the library on a damaged file; no Exception, and its class is not exported
_UNKNOWN_ERROR = "cell error"  # in its words


def read_workbook(source: str, data: bytes, notes: Notes) -> tuple[list[dict[str, Any]], list[str]]:
    """The records of the first visible sheet with rows, and their places in words. The first filled row
    names the columns; lines of a title above are left out. Raises CatalogError."""
    name, rows, shown, count = _find_filled_sheet(source, data)
    if count > 1:
        notes.say(f"{source}: read sheet {name!r}, the first filled one of {count}")
    first = _header_row(rows)
    if above := [number for number, row in enumerate(rows[:first], 1) if _is_filled(row)]:
        notes.say(
            f"{source}: sheet {name!r} has its header in line {first + 1:,}; {len(above):,} lines above it are left out (first: {_words(rows[above[0] - 1])})"
        )
    header = [_heading(cell) for cell in rows[first]]
    if twice := sorted(name for name, count in Counter(header).items() if name and count > 1):
        raise CatalogError(
            f"{source}: column {shorten(twice[0])!r} occurs twice; rename one of them"
        )
    _note_empty(source, name, shown, notes)
    _fill_merged(source, name, rows, first, shown, notes)
    body = [
        (number, row)
        for number, row in enumerate(rows[first + 1 :], start=first + 2)
        if _is_filled(row)
    ]
    records = [
        {column: cell for column, cell in zip(header, row, strict=False) if column}
        for _, row in body
    ]
    nameless = [number for number, column in enumerate(header) if not column]
    if any(row[number] != "" for _, row in body for number in nameless):
        notes.say(
            f"{source}: sheet {name!r} has cells below no name of a column; they are not read"
        )
    return records, [f"line {number:,} of sheet {name}" for number, _ in body]


def _find_filled_sheet(source: str, data: bytes) -> tuple[str, Rows, Shown, int]:
    """The name, rows and looks of the first filled sheet, and the number of sheets. Hidden sheets come
    last."""
    try:
        if data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                    raise CatalogError("unpacks to more than 4 GiB; export it as CSV")
        read_shown = shown_reader(data)  # first: it refuses what would not fit into memory
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = calamine.SheetVisibleEnum.Visible
        sheets = sorted(book.sheets_metadata, key=lambda sheet: sheet.visible != visible)
        for name in (sheet.name for sheet in sheets):
            shown = read_shown(name)
            rows = _grid(book, data, name)
            if any(map(_is_filled, rows)):
                return name, _replace_shown(rows, shown), shown, len(sheets)
    except CatalogError as error:
        raise CatalogError(f"{source}: {error}") from None
    except BaseException as error:
        if not isinstance(error, _BROKEN) and type(error).__name__ != _PANIC:
            raise
        detail = " ".join(str(error).split())
        raise CatalogError(
            f"{source}: not a readable Excel or OpenDocument table ({detail}); export it as CSV"
        ) from None
    raise CatalogError(f"{source}: a workbook without a filled sheet; check the file")


def _grid(book: calamine.CalamineWorkbook, data: bytes, name: str) -> Rows:
    try:
        return book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        if _UNKNOWN_ERROR not in str(error) or not data.startswith(ZIP):
            raise
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(_replace_unknown_errors(data)))
    return book.get_sheet_by_name(name).to_python(skip_empty_area=False)


def _replace_unknown_errors(data: bytes) -> bytes:
    """The workbook with #N/A for every error."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as parts, zipfile.ZipFile(buffer, "w") as known:
        for name in parts.namelist():
            content = parts.read(name)
            if name.startswith("xl/worksheets/"):
                content = _ERROR.sub(rb"\1#N/A\2", content)
            known.writestr(name, content)
    return buffer.getvalue()


def _is_filled(row: Sequence[Any]) -> bool:
    return any(cell != "" for cell in row)


def _words(row: Sequence[Any]) -> str:
    return " ".join(str(cell) for cell in row if cell != "")[:60]


def _header_row(rows: Rows) -> int:
    """The first filled row below lines of a title, which fill a cell or two of a wider table."""
    filled = [number for number, row in enumerate(rows) if _is_filled(row)][: TITLE_LINES + 1]
    widths = [sum(cell != "" for cell in rows[number]) for number in filled]
    for number, width in zip(filled, widths, strict=True):
        if width > TITLE_CELLS or 2 * width > max(widths):
            return number
    return filled[0]


def _heading(cell: Any) -> str:
    """A column's name. A column of a year has a number as name."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _note_empty(source: str, name: str, shown: Shown, notes: Notes) -> None:
    """Note the cells that are empty because they have no value."""
    reasons: tuple[tuple[Tally, str], ...] = (
        (shown.errors, "cells with an error such as #N/A"),
        (shown.unstored, "formulas without a stored value (save it in a spreadsheet program)"),
    )
    for cells, reason in reasons:
        if cells.count:
            notes.say(
                f"{source}: sheet {name!r} has {cells.count:,} {reason}, taken as empty (first: {_reference(*cells.first)})"
            )


def _reference(row: int, column: int) -> str:
    """(1, 27) → `AB2`"""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"


def _fill_merged(
    source: str, name: str, rows: Rows, header: int, shown: Shown, notes: Notes
) -> None:
    """Give a cell merged over several rows to each of them. A cell merged over several columns goes to the
    first of them."""
    filled = 0
    for top, left, bottom, _ in shown.merged:
        if top <= header or bottom == top or top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if row[left] == "" and rows[top][left] != "":
                row[left] = rows[top][left]
                filled += 1
    if filled:
        notes.say(
            f"{source}: sheet {name!r} has cells merged over several rows; each of these rows has their value ({filled:,} cells)"
        )


def _replace_shown(rows: Rows, shown: Shown) -> Rows:
    nothing: dict[int, str] = {}
    texts = [shown.texts.get(y, nothing) for y in range(len(rows))]
    return [
        [own[x] if x in own else _plain(cell) for x, cell in enumerate(row)]
        for own, row in zip(texts, rows, strict=True)
    ]


def _plain(cell: Any) -> Any:
    """A cell as a sheet shows it: TRUE, a day without its first second, a number of 15 digits."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return float(f"{cell:.15g}")
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, str) and (length := _LENGTH.fullmatch(cell)):
        return ":".join(length.groups())
    return cell
