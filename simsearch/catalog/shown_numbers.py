"""Numbers of workbooks as their sheets show them: a format such as 00000 or 0.00 adds zeros to 123.

The libraries that read workbooks give the bare numbers. Only added zeros are taken over: a number that
is shown rounded, or with separators, stays as it is stored.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from defusedxml import ElementTree

Shown = dict[tuple[int, int], str]
"""(row, column), from 0, → the number as text."""

_ZEROS = re.compile(r"(0+)(?:\.(0+))?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_BUILT_IN = {2: "0.00"}
_MAX_REPEATED = 1000  # rows or columns; a sheet's empty end repeats its last cell a million times


def shown_numbers(data: bytes, sheet: str) -> Shown:
    """Of a sheet in a zipped workbook, the numbers whose format adds zeros."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = set(parts.namelist())
        if "content.xml" in names:
            with parts.open("content.xml") as file:
                return dict(_of_open_document(file, sheet))
        if not {"xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
        formats = _formats(parts.read("xl/styles.xml"))
        path = _sheet_path(parts, sheet)
        if not formats or path not in names:
            return {}
        with parts.open(path) as file:
            return dict(_of_excel(file, formats))


def _formats(styles: bytes) -> dict[str, tuple[int, int]]:
    """Style number → digits before and behind the point, of the formats that add zeros."""
    root = ElementTree.fromstring(styles)
    codes = dict(_BUILT_IN)
    for element in root.iterfind("{*}numFmts/{*}numFmt"):
        codes[int(element.get("numFmtId", 0))] = element.get("formatCode", "")
    formats = {}
    for number, element in enumerate(root.iterfind("{*}cellXfs/{*}xf")):
        match = _ZEROS.fullmatch(codes.get(int(element.get("numFmtId", 0)), ""))
        if match is not None and match.group() != "0":
            formats[str(number)] = (len(match[1]), len(match[2] or ""))
    return formats


def _sheet_path(parts: zipfile.ZipFile, sheet: str) -> str:
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {element.get("Id"): element.get("Target", "") for element in relations}
    for element in book.iterfind("{*}sheets/{*}sheet"):
        if element.get("name") == sheet:
            key = next((element.get(name) for name in element.attrib if name.endswith("}id")), None)
            target = targets.get(key, "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _of_excel(
    file: IO[bytes], formats: dict[str, tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], str]]:
    for _, element in ElementTree.iterparse(file):
        if not element.tag.endswith("}c"):
            if element.tag.endswith("}row"):
                element.clear()
            continue
        wanted = formats.get(element.get("s", ""))
        place = re.fullmatch(r"([A-Z]+)(\d+)", element.get("r", ""))
        if wanted is None or place is None or element.get("t", "n") != "n":
            continue
        before, behind = wanted
        value = _decimal(element.findtext("{*}v"))
        if value is None or value < 0 or round(value, behind) != value:
            continue
        width = before + behind + bool(behind)
        yield (int(place[2]) - 1, _column(place[1])), f"{value:0{width}.{behind}f}"


def _of_open_document(file: IO[bytes], sheet: str) -> Iterator[tuple[tuple[int, int], str]]:
    for _, table in ElementTree.iterparse(file):
        if not table.tag.endswith("}table"):
            continue
        if _attribute(table, "name") != sheet:
            table.clear()
            continue
        row = 0
        for element in table.iter():
            if not element.tag.endswith("}table-row"):
                continue
            repeated = int(_attribute(element, "number-rows-repeated") or 1)
            for column, text in _shown_cells(element):
                for copy in range(min(repeated, _MAX_REPEATED)):
                    yield (row + copy, column), text
            row += repeated


def _shown_cells(row: Any) -> Iterator[tuple[int, str]]:
    column = 0
    for cell in row:
        repeated = int(_attribute(cell, "number-columns-repeated") or 1)
        text = "".join("".join(part.itertext()) for part in cell.iterfind("{*}p")).strip()
        value = _decimal(_attribute(cell, "value"))
        if value is not None and _NUMBER.fullmatch(text) and Decimal(text) == value:
            for copy in range(min(repeated, _MAX_REPEATED)):
                yield column + copy, text
        column += repeated


def _attribute(element: Any, name: str) -> str | None:
    for key, value in element.attrib.items():
        if key.endswith(f"}}{name}"):
            return str(value)
    return None


def _decimal(text: str | None) -> Decimal | None:
    """A stored number with the 15 digits that spreadsheets keep."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return Decimal(f"{value:.15g}") if math.isfinite(value) else None


def _column(letters: str) -> int:
    """`A` → 0, `AB` → 27"""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
