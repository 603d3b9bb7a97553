"""Sheets of Excel and OpenDocument workbooks as records."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import python_calamine as calamine

from simsearch.catalog.notes import Notes
from simsearch.catalog.shown_numbers import Shown, shown_numbers
from simsearch.catalog.unpacking import MAX_UNPACKED, ZIP
from simsearch.errors import CatalogError

OLE = b"\xd0\xcf\x11\xe0"


def read_workbook(source: str, data: bytes, notes: Notes) -> tuple[list[dict[str, Any]], list[str]]:
    """The first sheet with rows; its first row that is not empty names the columns. Beside the records
    stands in words where each lies. Raises CatalogError."""
    name, rows, count = _first_filled(source, data)
    if count > 1:
        notes.say(f"{source}: read sheet {name!r}, the first filled one of {count}")
    first = next(number for number, row in enumerate(rows) if _is_filled(row))
    header = [str(cell).strip() for cell in rows[first]]
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise CatalogError(f"{source}: column {twice[0]!r} occurs twice; rename one of them")
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


def _first_filled(source: str, data: bytes) -> tuple[str, list[list[Any]], int]:
    """The name and the rows of the first filled sheet, and the number of sheets."""
    try:
        if data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                    raise CatalogError(f"{source}: unpacks to more than 4 GiB; export it as CSV")
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if any(map(_is_filled, rows)):
                shown = shown_numbers(data, name) if data.startswith(ZIP) else {}
                return name, _as_shown(rows, shown), len(book.sheet_names)
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError, SyntaxError) as error:
        detail = " ".join(str(error).split())
        raise CatalogError(
            f"{source}: not a readable Excel or OpenDocument table ({detail}); export it as CSV"
        ) from None
    raise CatalogError(f"{source}: a workbook without a filled sheet; check the file")


def _is_filled(row: list[Any]) -> bool:
    return any(cell != "" for cell in row)


def _as_shown(rows: list[list[Any]], shown: Shown) -> list[list[Any]]:
    return [
        [shown.get((y, x)) or _plain(cell) for x, cell in enumerate(row)]
        for y, row in enumerate(rows)
    ]


def _plain(cell: Any) -> Any:
    """A cell as a sheet shows it: TRUE, a day without its first second, a number of 15 digits."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return float(f"{cell:.15g}")
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return cell
