"""What the cells of Excel's binary workbooks (.xlsb) show beside their bare values ([MS-XLSB])."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from typing import Any

from defusedxml import ElementTree

from simsearch.catalog.excel_97_sheets import short_number
from simsearch.catalog.number_formats import BUILT_IN, Show, show_of
from simsearch.catalog.shown import Extent, Shown, decimal_of

_ROW, _SHORT, _ERROR, _NUMBER, _NUMBER_OF_FORMULA, _ERROR_OF_FORMULA = 0, 2, 3, 5, 9, 11
_FILLED = range(2, 12)  # of them 1 is a blank cell
_FORMAT, _STYLE, _MERGED = 44, 47, 176
_SETTINGS, _SHEET, _STYLES, _STYLES_END = 153, 156, 617, 618


def shown_cells(parts: zipfile.ZipFile, sheet: str) -> Shown:
    """What the cells of a sheet show. Raises CatalogError for one whose cells are strewn too far, and
    ValueError for a broken one."""
    try:
        path, from_1904 = _sheet_path(parts, sheet)
        if path not in parts.namelist():
            return Shown()
        names = parts.namelist()
        styles = parts.read("xl/styles.bin") if "xl/styles.bin" in names else b""
        return _read_sheet(parts.read(path), sheet, _formats(styles, from_1904))
    except (struct.error, IndexError):
        raise ValueError("a workbook whose records cannot be read") from None


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of each record. Both its kind and its length are written in groups of 7 bits."""
    start = 0
    while start < len(data):
        kind = data[start] & 0x7F
        if data[start] & 0x80:
            start += 1
            kind |= (data[start] & 0x7F) << 7
        start += 1
        length = 0
        for group in range(4):
            byte = data[start]
            length |= (byte & 0x7F) << (7 * group)
            start += 1
            if not byte & 0x80:
                break
        yield kind, data[start : start + length]
        start += length


def _text(body: bytes, start: int) -> tuple[str, int]:
    """A text behind its length, and where it ends."""
    (length,) = struct.unpack_from("<I", body, start)
    length = 0 if length == 0xFFFFFFFF else length
    end = start + 4 + 2 * length
    return body[start + 4 : end].decode("utf-16-le", "replace"), end


def _sheet_path(parts: zipfile.ZipFile, sheet: str) -> tuple[str, bool]:
    """Where a sheet lies ("": nowhere), and whether the workbook counts days from 1904."""
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.bin.rels"))
    targets: dict[Any, str] = {
        element.get("Id"): element.get("Target", "") for element in relations
    }
    from_1904, path = False, ""
    for kind, body in _records(parts.read("xl/workbook.bin")):
        if kind == _SETTINGS:
            from_1904 = bool(body[0] & 1)
        elif kind == _SHEET:
            key, end = _text(body, 8)
            name, _ = _text(body, end)
            if name == sheet and not path:
                target = targets.get(key, "")
                path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return path, from_1904


def _formats(styles: bytes, from_1904: bool) -> list[Show | None]:
    """How each style shows numbers."""
    codes, numbers, within = dict(BUILT_IN), [], False
    for kind, body in _records(styles):
        if kind in (_STYLES, _STYLES_END):
            within = kind == _STYLES
        elif kind == _FORMAT:
            codes[struct.unpack_from("<H", body)[0]], _ = _text(body, 2)
        elif kind == _STYLE and within:
            numbers.append(struct.unpack_from("<H", body, 2)[0])
    shows = {number: show_of(code, from_1904) for number, code in codes.items()}
    return [shows.get(number) for number in numbers]


def _read_sheet(data: bytes, sheet: str, formats: list[Show | None]) -> Shown:
    shown, extent, row = Shown(), Extent(), -1
    for kind, body in _records(data):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", body)
        elif kind in _FILLED:
            column, style = struct.unpack_from("<II", body)
            place, show = (row, column), _at(formats, style & 0xFFFFFF)
            extent.add(*place)
            if kind in (_NUMBER, _NUMBER_OF_FORMULA):
                shown.show_number(place, decimal_of(struct.unpack_from("<d", body, 8)[0]), show)
            elif kind == _SHORT:
                number = short_number(struct.unpack_from("<I", body, 8)[0])
                shown.show_number(place, decimal_of(number), show)
            elif kind in (_ERROR, _ERROR_OF_FORMULA):
                shown.take_error(place)
        elif kind == _MERGED:
            top, bottom, left, right = struct.unpack_from("<4I", body)
            shown.merged.append((top, left, bottom, right))
    extent.refuse_strewn(sheet)
    return shown


def _at(formats: list[Show | None], style: int) -> Show | None:
    return formats[style] if style < len(formats) else None
