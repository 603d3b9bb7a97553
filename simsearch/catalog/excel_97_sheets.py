"""What the cells of Excel's workbooks of 1997 to 2003 (.xls) show beside their bare values ([MS-XLS])."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from simsearch.catalog.compound_file import read_stream
from simsearch.catalog.number_formats import BUILT_IN, Show, show_of
from simsearch.catalog.shown import Extent, Place, Shown, decimal_of

_BEGIN, _END, _SHEET, _FROM_1904 = 0x809, 0x0A, 0x85, 0x22
_FORMAT, _STYLE, _ALL_TEXTS, _SIZE = 0x41E, 0xE0, 0xFC, 0x200
_NUMBER, _SHORT, _SHORTS, _FORMULA, _TRUTH, _MERGED = 0x203, 0x27E, 0xBD, 0x06, 0x205, 0xE5
_TEXTS = (0x204, 0xFD, 0xD6)  # in the cell, in the table of texts, with its typography
_FILLED = {_NUMBER, _SHORT, _SHORTS, _FORMULA, _TRUTH, *_TEXTS}
_EXCEL_97, MOST_ROWS, MOST_COLUMNS = 0x600, 65_536, 256
_ERROR, _NO_NUMBER = 2, 0xFFFF  # of a formula's result


def shown_sheets(data: bytes) -> dict[str, Shown]:
    """What the cells of each sheet show, by the sheet's name. Raises CatalogError for a sheet whose
    cells are strewn too far, ValueError for a broken workbook."""
    stream = read_stream(data, ("Workbook", "Book", "WORKBOOK", "BOOK"))
    try:
        (version,) = struct.unpack_from("<H", stream, 4)
        places, formats = _globals(stream, version >= _EXCEL_97)
        return {name: _read_sheet(stream, place, name, formats) for name, place in places.items()}
    except (struct.error, IndexError):
        raise ValueError("a workbook whose records cannot be read") from None


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of each record up to the end of a sheet, or of the part before the sheets. What
    lies within it (charts) is passed over."""
    depth = 0
    while start + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, start)
        depth += (kind == _BEGIN) - (kind == _END)
        if not depth:
            return
        if depth == 1:
            yield kind, stream[start + 4 : start + 4 + length]
        start += 4 + length


def _globals(stream: bytes, wide: bool) -> tuple[dict[str, int], list[Show | None]]:
    """Where each sheet begins, and how each style shows numbers."""
    places: dict[str, int] = {}
    codes, styles, from_1904 = dict(BUILT_IN), [], False
    for kind, body in _records(stream, 0):
        if kind == _SHEET:
            (place,) = struct.unpack_from("<I", body)
            places.setdefault(_text(body[6:], 1, wide), place)
        elif kind == _ALL_TEXTS and struct.unpack_from("<I", body, 4)[0] > len(stream):
            raise ValueError("a workbook with more texts than bytes")
        elif kind == _FROM_1904:
            from_1904 = body[:2] == b"\1\0"
        elif kind == _FORMAT:
            (number,) = struct.unpack_from("<H", body)
            codes[number] = _text(body[2:], 2 if wide else 1, wide)
        elif kind == _STYLE:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    shows = {number: show_of(code, from_1904) for number, code in codes.items()}
    return places, [shows.get(number) for number in styles]


def _refuse_size(body: bytes) -> None:
    """Raises ValueError for a sheet that says it is larger than a sheet can be: the library would ask
    for the memory, and end the process."""
    top, rows, left, columns = struct.unpack_from("<IIHH" if len(body) > 10 else "<HHHH", body)
    if not top <= rows <= MOST_ROWS or not left <= columns <= MOST_COLUMNS:
        raise ValueError(f"a sheet of {rows:,} rows and {columns:,} columns")


def _text(body: bytes, length_bytes: int, wide: bool) -> str:
    """A text behind its length. That of Excel 97 has a byte that says whether its letters take two."""
    length = int.from_bytes(body[:length_bytes], "little")
    if not wide:
        return body[length_bytes : length_bytes + length].decode("cp1252", "replace")
    start = length_bytes + 1
    if body[length_bytes] & 1:
        return body[start : start + 2 * length].decode("utf-16-le", "replace")
    return body[start : start + length].decode("latin-1")


def _read_sheet(stream: bytes, start: int, sheet: str, formats: list[Show | None]) -> Shown:
    shown, extent = Shown(), Extent()
    for kind, body in _records(stream, start):
        if kind in _FILLED:
            row, column, style = struct.unpack_from("<HHH", body)
            extent.add(row, column)
        if kind == _NUMBER:
            number = struct.unpack_from("<d", body, 6)[0]
            shown.show_number((row, column), decimal_of(number), formats[style])
        elif kind == _SHORT:
            number = short_number(struct.unpack_from("<I", body, 6)[0])
            shown.show_number((row, column), decimal_of(number), formats[style])
        elif kind == _SHORTS:
            for place, (style, packed) in enumerate(struct.iter_unpack("<HI", body[4:-2]), column):
                extent.add(row, place)
                number = short_number(packed)
                shown.show_number((row, place), decimal_of(number), formats[style])
        elif kind == _FORMULA:
            _take_formula(shown, (row, column), body, formats[style])
        elif kind == _TRUTH and body[7]:
            shown.take_error((row, column))
        elif kind == _SIZE:
            _refuse_size(body)
        elif kind == _MERGED:
            for top, bottom, left, right in struct.iter_unpack("<HHHH", body[2:]):
                shown.merged.append((top, left, bottom, right))
    extent.refuse_strewn(sheet)
    return shown


def _take_formula(shown: Shown, place: Place, body: bytes, show: Show | None) -> None:
    if struct.unpack_from("<H", body, 12)[0] != _NO_NUMBER:
        shown.show_number(place, decimal_of(struct.unpack_from("<d", body, 6)[0]), show)
    elif body[6] == _ERROR:
        shown.take_error(place)


def short_number(packed: int) -> float:
    """A number in 30 bits: the upper ones of a floating-point number, or a whole one; perhaps times 100."""
    if packed & 2:
        number = float((packed >> 2) - ((packed >> 31) << 30))
    else:
        number = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return number / 100 if packed & 1 else number
