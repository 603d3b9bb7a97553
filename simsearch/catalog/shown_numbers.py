"""What the cells of workbooks show beside their bare values: zeros and words that a format adds, days,
errors, cells merged into one.

The libraries that read workbooks give the bare values. A number that is shown rounded, or with
separators, stays as it is stored.
"""

from __future__ import annotations

import functools
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any
from xml.parsers import expat

from defusedxml import ElementTree

from simsearch.catalog.number_formats import BUILT_IN, Show, show_of
from simsearch.errors import CatalogError

Place = tuple[int, int]  # row and column, from 0
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DAY = re.compile(r"\d{4}(?:-\d\d){0,2}")
_LONG = re.compile(r"\d{16,}")  # digits beyond those of a floating-point number
_PLACE = re.compile(r"([A-Z]{1,3})\d+")
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_MAX_REPEATED = 1000  # rows or columns; a sheet's empty end repeats its last cell a million times
# The library lays a sheet out as a full grid of 32 bytes a cell.
_MAX_GRID, _MAX_SPARSE = 10_000_000, 100  # cells of the grid, and as many for a filled one


@dataclass
class Shown:
    """Of a sheet: `texts` that cells show in place of their values, the cells with an error, those whose
    formula has no stored value, and `merged` areas (top, left, bottom, right)."""

    texts: dict[Place, str] = field(default_factory=dict)
    errors: list[Place] = field(default_factory=list)
    unstored: list[Place] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def shown_cells(data: bytes, sheet: str) -> Shown:
    """What the cells of a sheet in a zipped workbook show. Raises CatalogError for a sheet that has
    cells so far apart that they do not fit into memory."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = set(parts.namelist())
        if "content.xml" in names:
            with parts.open("content.xml") as file:
                return _of_open_document(file, sheet)
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return Shown()
        path, from_1904 = _sheet_path(parts, sheet)
        if path not in names:
            return Shown()
        _refuse_sparse(parts.read(path), sheet)
        styles = parts.read("xl/styles.xml") if "xl/styles.xml" in names else b"<styleSheet/>"
        with parts.open(path) as file:
            return _Sheet(_formats(styles, from_1904)).read(file)


def _refuse_sparse(sheet: bytes, name: str) -> None:
    rows = columns = count = 0
    for match in _CELL.finditer(sheet):
        count += 1
        rows = max(rows, int(match[2]))
        columns = max(columns, _column(match[1].decode()) + 1)
    if rows * columns > max(_MAX_GRID, _MAX_SPARSE * count):
        raise CatalogError(
            f"sheet {name!r} has {count:,} cells, strewn over {rows:,} rows and {columns:,} columns; "
            "delete the stray ones or export it as CSV"
        )


def _formats(styles: bytes, from_1904: bool) -> dict[str, Show]:
    """Style number → how it shows numbers."""
    root = ElementTree.fromstring(styles)
    codes = dict(BUILT_IN)
    for element in root.iterfind("{*}numFmts/{*}numFmt"):
        codes[int(element.get("numFmtId", 0))] = element.get("formatCode", "")
    formats = {}
    for number, element in enumerate(root.iterfind("{*}cellXfs/{*}xf")):
        code = codes.get(int(element.get("numFmtId", 0)))
        if code and (show := show_of(code, from_1904)) is not None:
            formats[str(number)] = show
    return formats


def _sheet_path(parts: zipfile.ZipFile, sheet: str) -> tuple[str, bool]:
    """Where a sheet lies ("": nowhere), and whether the workbook counts days from 1904."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {element.get("Id"): element.get("Target", "") for element in relations}
    settings = book.find("{*}workbookPr")
    from_1904 = settings is not None and settings.get("date1904") in ("1", "true")
    for element in book.iterfind("{*}sheets/{*}sheet"):
        if element.get("name") == sheet:
            key = next((element.get(name) for name in element.attrib if name.endswith("}id")), None)
            target = targets.get(key, "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}", from_1904
    return "", from_1904


class _Sheet:
    """Takes the cells of a sheet from the parser of XML that the standard library has: elements as
    objects would take eight times as long."""

    def __init__(self, formats: dict[str, Show]) -> None:
        self.shown = Shown()
        self._formats = formats
        self._row = self._column = -1
        self._cell: dict[str, str] | None = None
        self._stored: list[str] | None = None  # text of the value that is being read
        self._value, self._has_formula = "", False

    def read(self, file: IO[bytes]) -> Shown:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = _refuse_entity
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            raise ValueError(f"a sheet that is no XML: {error}") from None
        return self.shown

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            self._cell, self._value, self._has_formula = attributes, "", False
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = self._column + 1 if place is None else _column(place[1])
        elif name == "v":
            self._stored = []
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) - 1 if number.isdecimal() else self._row + 1
            self._column = -1
        elif name == "mergeCell" and (area := _area(attributes.get("ref", ""))):
            self.shown.merged.append(area)

    def _text(self, data: str) -> None:
        if self._stored is not None:
            self._stored.append(data)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name == "v" and self._stored is not None:
            self._value, self._stored = "".join(self._stored).strip(), None
        elif name == "c" and self._cell is not None:
            self._take(self._cell)
            self._cell = None

    def _take(self, cell: dict[str, str]) -> None:
        place, kind, stored = (self._row, self._column), cell.get("t", "n"), self._value
        if kind == "e":
            self.shown.errors.append(place)
        elif not stored and kind != "str" and self._has_formula:
            self.shown.unstored.append(place)
        elif kind == "n" and stored:
            show = self._formats.get(cell.get("s", ""))
            value = _decimal(stored) if show is not None else None
            text = show(value) if show is not None and value is not None else None
            if text is None and _LONG.fullmatch(stored):
                text = stored
            if text is not None:
                self.shown.texts[place] = text


def _refuse_entity(*_: object) -> None:
    raise ValueError("a sheet that declares entities of XML")


def _area(reference: str) -> tuple[int, int, int, int] | None:
    match = re.fullmatch(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})", reference)
    if match is None:
        return None
    return int(match[2]) - 1, _column(match[1]), int(match[4]) - 1, _column(match[3])


def _of_open_document(file: IO[bytes], sheet: str) -> Shown:
    shown = Shown()
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
            for copy in range(min(repeated, _MAX_REPEATED)):
                _take_row(shown, row + copy, element)
            row += repeated
    return shown


def _take_row(shown: Shown, row: int, element: Any) -> None:
    column = 0
    for cell in element:
        repeated = int(_attribute(cell, "number-columns-repeated") or 1)
        text = "".join("".join(part.itertext()) for part in cell.iterfind("{*}p")).strip()
        for copy in range(min(repeated, _MAX_REPEATED)):
            place = row, column + copy
            if "error" in _value_types(cell):
                shown.errors.append(place)
            elif _shows(text, cell):
                shown.texts[place] = text
        down = int(_attribute(cell, "number-rows-spanned") or 1)
        across = int(_attribute(cell, "number-columns-spanned") or 1)
        if down > 1 or across > 1:
            shown.merged.append((row, column, row + down - 1, column + across - 1))
        column += repeated


def _value_types(cell: Any) -> Iterator[str]:
    return (str(value) for key, value in cell.attrib.items() if key.endswith("}value-type"))


def _shows(text: str, cell: Any) -> bool:
    """Whether a text is the cell's number with zeros or words added, or its day with parts left out."""
    if (day := _attribute(cell, "date-value")) is not None:
        return _DAY.fullmatch(text) is not None and day.startswith(text)
    value = _decimal(_attribute(cell, "value"))
    numbers = _NUMBER.findall(text)
    return len(numbers) == 1 and "%" not in text and Decimal(numbers[0]) == value


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


@functools.cache
def _column(letters: str) -> int:
    """`A` → 0, `AB` → 27"""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
