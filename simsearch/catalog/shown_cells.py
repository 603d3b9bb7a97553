"""What the cells of a workbook's sheets show, whatever its format."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable

from simsearch.catalog import excel_97_sheets, excel_binary_sheets, excel_sheets, open_document
from simsearch.catalog.shown import Shown
from simsearch.catalog.unpacking import ZIP


def shown_reader(data: bytes) -> Callable[[str], Shown]:
    """A function from a sheet's name to what its cells show. It and the function itself raise
    CatalogError for sheets that do not fit into memory, ValueError for broken ones."""
    if not data.startswith(ZIP):
        sheets = excel_97_sheets.shown_sheets(data)
        return lambda name: sheets.get(name, Shown())
    parts = zipfile.ZipFile(io.BytesIO(data))
    names = parts.namelist()
    if "content.xml" in names:
        with parts.open("content.xml") as file:
            sheets = open_document.shown_sheets(file)
        return lambda name: sheets.get(name, Shown())
    binary = "xl/workbook.bin" in names
    module = excel_binary_sheets if binary else excel_sheets
    return functools.partial(module.shown_cells, parts)
