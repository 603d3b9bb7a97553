"""What the cells of Excel's workbooks in XML (.xlsx, .xlsm) show beside their bare values."""

from __future__ import annotations

import functools
import re
import zipfile
from typing import IO

from defusedxml import ElementTree

from simsearch.catalog.number_formats import BUILT_IN, Show, show_of
from simsearch.catalog.shown import Extent, Shown, decimal_of
from simsearch.catalog.xml_events import read_events

_LONG = re.compile(r"\d{16,}")  # more digits than a floating-point number keeps
_PLACE = re.compile(r"([A-Za-z]{1,3})\d+")


def shown_cells(parts: zipfile.ZipFile, sheet: str) -> Shown:
    """What the cells of a sheet show. Raises CatalogError for one whose cells are strewn too far."""
    names = set(parts.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return Shown()
    path, from_1904 = _sheet_path(parts, sheet)
    if path not in names:
        return Shown()
    styles = parts.read("xl/styles.xml") if "xl/styles.xml" in names else b"<styleSheet/>"
    with parts.open(path) as file:
        reader = _Sheet(_formats(styles, from_1904))
        reader.read(file)
    reader.extent.refuse_strewn(sheet)
    return reader.shown


def _formats(styles: bytes, from_1904: bool) -> dict[str, Show]:
    """The format of numbers in each style, by the style's number."""
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
    """Takes the cells of a sheet from the events of its XML."""

    def __init__(self, formats: dict[str, Show]) -> None:
        self.shown, self.extent = Shown(), Extent()
        self._formats = formats
        self._row = self._column = -1
        self._cell: dict[str, str] | None = None
        self._stored: list[str] | None = None  # text of the value that is being read
        self._value, self._has_formula, self._is_filled = "", False, False

    def read(self, file: IO[bytes]) -> None:
        read_events(file, "sheet", start=self._start, end=self._end, text=self._text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            self._cell, self._value = attributes, ""
            self._has_formula = self._is_filled = False
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = self._column + 1 if place is None else _column(place[1].upper())
        elif name == "v":
            self._stored, self._is_filled = [], True
        elif name == "is":
            self._is_filled = True
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
        if self._is_filled:
            self.extent.add(*place)
        if kind == "e":
            self.shown.take_error(place)
        elif not stored and kind != "str" and self._has_formula:
            self.shown.unstored.add(place)
        elif kind == "n" and stored:
            if _LONG.fullmatch(stored):
                self.shown.show(place, stored)
            if show := self._formats.get(cell.get("s", "")):
                self.shown.show_number(place, decimal_of(stored), show)


def _area(reference: str) -> tuple[int, int, int, int] | None:
    match = re.fullmatch(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})", reference)
    if match is None:
        return None
    return int(match[2]) - 1, _column(match[1]), int(match[4]) - 1, _column(match[3])


@functools.cache
def _column(letters: str) -> int:
    """`A` → 0, `AB` → 27"""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
