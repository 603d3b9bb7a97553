"""What the cells of OpenDocument's workbooks (.ods) show beside their bare values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import IO

from simsearch.catalog.shown import Extent, Shown, decimal_of
from simsearch.catalog.xml_events import read_events

MOST_REPEATED = 2**32  # of a row or a cell; no sheet has as many
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_DAY = re.compile(r"\d{4}(?:-\d\d){0,2}")
_Run = tuple[int, int, str]  # first column, the column after the last, text
_CELLS = ("table-cell", "covered-table-cell")
_BREAKS = {"tab": "\t", "line-break": "\n"}
MOST_SPACES = 1000  # that one element stands for


def shown_sheets(file: IO[bytes]) -> dict[str, Shown]:
    """What the cells of each sheet show, by the sheet's name, of a workbook's `content.xml`. Raises
    CatalogError for a sheet whose cells are strewn too far or repeated too often, ValueError for a
    broken one."""
    reader = _Content()
    reader.read(file)
    return reader.sheets


class _Content:
    """Takes the sheets from the events of the workbook's XML."""

    def __init__(self) -> None:
        self.sheets: dict[str, Shown] = {}
        self._path: list[str] = []
        self._sheet, self._shown, self._extent = "", Shown(), Extent()
        self._row = self._column = 0
        self._row_times = 1
        self._rows: list[tuple[int, int, list[_Run]]] = []  # first row, times, texts
        self._runs: list[_Run] = []
        self._cell: dict[str, str] = {}
        self._text: list[str] | None = None  # of the cell that is being read
        self._spaced: list[str] = []  # the same with its white space, if it has tabs or line breaks
        self._has_breaks = False

    def read(self, file: IO[bytes]) -> None:
        read_events(
            file,
            "content.xml",
            start=self._start,
            end=self._end,
            text=self._take_text,
            separator=" ",
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        self._path.append(name)
        if name == "table":
            self._sheet, self._row = _attribute(attributes, "name") or "", 0
            self._shown, self._extent, self._rows = Shown(), Extent(), []
        elif name == "table-row":
            self._row_times = _times(attributes, "number-rows-repeated")
            self._column, self._runs = 0, []
        elif name in _CELLS:
            self._cell, self._text = attributes, []
            self._spaced, self._has_breaks = [], False
        elif self._in_paragraph():
            self._take_space(name, attributes)

    def _in_paragraph(self) -> bool:
        # Paragraphs of a cell's comments lie one deeper.
        return self._text is not None and "annotation" not in self._path and "p" in self._path

    def _take_text(self, data: str) -> None:
        if self._text is not None and self._in_paragraph():
            self._text.append(data)
            self._spaced.append(data)

    def _take_space(self, name: str, attributes: dict[str, str]) -> None:
        """Tabs, line breaks and spaces are elements, and a paragraph is a line of its own. The library
        that reads the cells leaves out tabs and line breaks."""
        if name == "p" and self._spaced:
            self._spaced.append("\n")
        elif name == "s":
            self._spaced.append(" " * min(_times(attributes, "c"), MOST_SPACES))
        elif name in _BREAKS:
            self._spaced.append(_BREAKS[name])
            self._has_breaks = True

    def _end(self, _tag: str) -> None:
        name = self._path.pop()
        if name in _CELLS and self._text is not None:
            self._take_cell("".join(self._text).strip())
            self._text = None
        elif name == "table-row":
            if self._runs:
                self._rows.append((self._row, self._row_times, self._runs))
            self._row += self._row_times
        elif name == "table":
            self._extent.refuse_strewn(self._sheet)
            for first, times, runs in self._rows:
                texts = {column: text for start, end, text in runs for column in range(start, end)}
                self._shown.texts.update(dict.fromkeys(range(first, first + times), texts))
            self.sheets[self._sheet] = self._shown

    def _take_cell(self, text: str) -> None:
        cell, place = self._cell, (self._row, self._column)
        times = _times(cell, "number-columns-repeated")
        is_error = "error" in _value_types(cell)
        if text or is_error or any(_value_types(cell)):
            self._extent.add(*place, self._row_times, times)
            shown = "" if is_error else _shown_text(text, cell)
            if self._has_breaks and "string" in _value_types(cell):
                shown = "".join(self._spaced)
            if is_error:
                self._shown.errors.add(place, times * self._row_times)
            if shown is not None:
                self._runs.append((self._column, self._column + times, shown))
        down = _times(cell, "number-rows-spanned")
        across = _times(cell, "number-columns-spanned")
        if down > 1 or across > 1:
            area = (*place, self._row + down - 1, self._column + across - 1)
            self._shown.merged.append(area)
        self._column += times


def _times(attributes: Mapping[str, str], name: str) -> int:
    text = _attribute(attributes, name) or "1"
    if not text.isdecimal() or len(text) > len(str(MOST_REPEATED)):
        raise ValueError(f"a sheet with {name} {text[:30]!r}")
    return int(text)


def _value_types(cell: Mapping[str, str]) -> list[str]:
    return [value for name, value in cell.items() if name.endswith(" value-type")]


def _shown_text(text: str, cell: Mapping[str, str]) -> str | None:
    """The text of a cell that is its number with zeros or words added, or its day with parts left
    out; None for other cells."""
    if (day := _attribute(cell, "date-value")) is not None:
        return text if _DAY.fullmatch(text) is not None and day.startswith(text) else None
    value = decimal_of(_attribute(cell, "value"))
    numbers = _NUMBER.findall(text)
    if len(numbers) != 1 or "%" in text or value is None:
        return None
    plain = numbers[0].replace(",", ".")
    return text.replace(numbers[0], plain) if Decimal(plain) == value else None


def _attribute(attributes: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in attributes.items() if key.endswith(f" {name}")), None)
