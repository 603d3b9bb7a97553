"""Sheets of Excel and OpenDocument workbooks as records."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import python_calamine as calamine

from simsearch.catalog.notes import Notes
from simsearch.catalog.unpacking import MAX_UNPACKED, ZIP
from simsearch.errors import CatalogError

OLE = b"\xd0\xcf\x11\xe0"


def read_workbook(source: str, data: bytes, notes: Notes) -> tuple[list[dict[str, Any]], list[str]]:
    """The first sheet with rows; its first row that is not empty names the columns."""
    try:
        if data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                    raise CatalogError(f"{source}: unpacks to more than 4 GiB; export it as CSV")
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise CatalogError(
            f"{source}: not a readable Excel or OpenDocument table ({detail}); export it as CSV"
        ) from None
    filled = [(name, rows) for name, rows in sheets if any(any(row) for row in rows)]
    if not filled:
        raise CatalogError(f"{source}: a workbook without a filled sheet; check the file")
    name, rows = filled[0]
    if len(sheets) > 1:
        notes.say(f"{source}: read sheet {name!r}, the first filled one of {len(sheets)}")
    first = next(number for number, row in enumerate(rows) if any(row))
    header = [str(cell).strip() for cell in rows[first]]
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise CatalogError(f"{source}: column {twice[0]!r} occurs twice; rename one of them")
    body = [
        (number, row) for number, row in enumerate(rows[first + 1 :], start=first + 2) if any(row)
    ]
    records = [
        {column: cell for column, cell in zip(header, row, strict=False) if column}
        for _, row in body
    ]
    return records, [f"line {number:,} of sheet {name}" for number, _ in body]
