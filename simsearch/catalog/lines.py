"""The rows of delimited text, accounted for line by line, so that a stray quote swallows no row.

A cell that begins with a quote ends at the next quote that is not doubled (RFC 4180). Two quotes that
do not enclose a whole cell are letters of their lines. A quote without a second one is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Literal, NamedTuple

from simsearch.catalog.cells import is_quoted, shape_of, split_cells, undouble, unescape, unquote

Kind = Literal["plain", "spanning", "mended", "trimmed", "spaced", "repeated", "ragged"]

SURE_ROWS = 200  # rows without a quote that show the usual shape of a column's cells
ALIKE = 0.8  # smallest share of these rows that makes a shape usual
# A longer row whose number of cells is not the header's is read line by line, so that the time stays
# linear.
RAGGED_CHARACTERS = 10_000
HEADER_LINES = 20  # a header that spans more lines has an open quote

_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]+")
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')


class OpenQuoteError(ValueError):
    """A quote opens a cell in `line`, from 1, and no later quote closes it."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class Row(NamedTuple):
    """A row at `start` to `end` of the text, on the lines `first` to `last`, from 1.

    `cells` is None if the text is valid as it stands. A ragged row has `width` cells, which is not the
    header's number. A trimmed row has empty cells beyond the header's, a spaced row has spaces around a
    quoted cell, a repeated row is the header again.
    """

    kind: Kind
    start: int
    end: int
    first: int
    last: int
    width: int
    cells: list[str] | None = None


class Lines:
    """The rows of a text below its header, of `width` cells each."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text, self.delimiter = text, delimiter
        self._blank = f"{delimiter} \t\r\n"
        mark = re.escape(delimiter)
        bare = rf'(?!")[^{mark}\r\n]*+'
        cell = rf"(?:{_QUOTED.pattern}|{bare})"
        # Cells of one line: with inner quotes behind backslashes, and with inner quotes not doubled.
        escaped = rf'(?:"(?:[^"\\]|\\.|"")*+"|{bare})'
        loose = rf'[ \t]*"(?:[^"]|"(?![ \t]*(?:{mark}|\Z)))*+"[ \t]*|(?![ \t]*")[^{mark}]*+'
        self._cell = re.compile(rf"({cell})(?:{mark}|\Z)")
        self._escaped = re.compile(rf"({escaped})(?:{mark}|\Z)", re.DOTALL)
        self._loose = re.compile(rf"({loose})(?:{mark}|\Z)")
        self._any_row = re.compile(rf"{cell}(?:{mark}{cell})*+")
        # Two quotes that are no empty cell.
        self._doubled = re.compile(rf'(?<![{mark}])(?<!^)""|""(?![{mark}])(?!\Z)')
        self._letters: list[int] = []  # places of quotes that are letters, in order
        # Spaces around a quoted cell.
        self._spaced = re.compile(rf'(?:^|{mark})[ ]+"|"[ ]+(?:{mark}|\Z)')
        self.header, self._begin, self._first = self._read_header()
        self.width = len(self.header)
        others = f"{{{max(0, self.width - 1)}}}"
        self._row = re.compile(rf"{cell}(?:{mark}{cell}){others}")
        self._escaped_row = re.compile(rf"{escaped}(?:{mark}{escaped}){others}", re.DOTALL)

    def rows(self) -> Iterator[Row]:
        """Each row in turn, without blank lines. Raises OpenQuoteError."""
        start, number = self._begin, self._first
        while start < len(self._text):
            end, following = self._line(start)
            row = self._next(start, end, number)
            if row is not None:
                yield row
            if row is not None and row.end > end:
                _, following = self._line(row.end)
                number = row.last
            start, number = following, number + 1

    def _line(self, start: int) -> tuple[int, int]:
        """The places where the line's text ends and the next line starts."""
        match = _LINE_END.search(self._text, start)
        return (len(self._text),) * 2 if match is None else match.span()

    def _read_header(self) -> tuple[list[str], int, int]:
        """The names, and the place and the line at which the rows begin."""
        self._header_text = ""
        start, number = 0, 1
        while start < len(self._text):
            end, following = self._line(start)
            if self._text[start:end].strip():
                break
            start, number = following, number + 1
        else:
            return [], start, number
        match = self._any_row.match(self._text, start)
        if match is None or not self._at_end(match.end()):
            return self._text[start:end].split(self.delimiter), following, number + 1
        self._header_text = match.group()
        spanned = len(_LINE_END.findall(match.group()))
        if spanned > HEADER_LINES:
            raise OpenQuoteError(number)
        _, following = self._line(match.end())
        names = [undouble(cell, cell) for cell in split_cells(self._cell, match.group()) or ()]
        return names, following, number + spanned + 1

    def _next(self, start: int, end: int, number: int) -> Row | None:
        text = self._text
        if text[start] in self._blank and not text[start:end].strip(self._blank):
            return None
        if self.width > 1 and text.startswith(self._header_text, start):
            header_end = start + len(self._header_text)
            if self._header_text and self._at_end(header_end):
                last = number + len(_LINE_END.findall(self._header_text))
                return Row("repeated", start, header_end, number, last, self.width)
        if text.find('"', start, end) < 0:
            width = text.count(self.delimiter, start, end) + 1
            if width == self.width:
                return Row("plain", start, end, number, number, width)
            return self._ragged(start, end, number)
        match = self._row.match(text, start)
        if match is not None and match.end() == end:
            return self._unspaced(start, end, number) or Row(
                "plain", start, end, number, number, self.width
            )
        spans = match is not None and match.end() > end and self._at_end(match.end())
        if match is None or not spans or self._has_letters(start, end):
            return self._odd(start, end, number)
        if self._are_rows(start, match.end()):
            return self._odd(start, end, number)
        last = number + len(_LINE_END.findall(text, start, match.end()))
        return Row("spanning", start, match.end(), number, last, self.width)

    def _odd(self, start: int, end: int, number: int) -> Row:
        """A row whose quotes do not enclose whole cells, or enclose several lines that are rows."""
        line = self._text[start:end]
        if self._is_valid(line) and (spaced := self._unspaced(start, end, number)):
            return spaced
        cells = self._mended(line)
        if cells is None and (row := self._escaped_lines(start, number)):
            return row
        if cells is None and (closing := self._crossing(start, end)) is not None:
            if closing == -1:
                raise OpenQuoteError(number)
            if row := self._ragged_lines(start, number):
                return row
            insort(self._letters, closing)
        if cells is None and not self._is_valid(line):
            bare = line.split(self.delimiter)
            if len(bare) == self.width:
                cells = [unquote(cell) for cell in bare]
        if cells is None:
            return self._ragged(start, end, number)
        return Row("mended", start, end, number, number, self.width, cells)

    def _unspaced(self, start: int, end: int, number: int) -> Row | None:
        """A row of quoted cells with spaces around them."""
        line = self._text[start:end]
        if self._spaced.search(line) is None:
            return None
        pieces = split_cells(self._loose, line) or []
        if len(pieces) != self.width or all(
            is_quoted(p) for p in pieces if is_quoted(p.strip(" "))
        ):
            return None
        cells = [unquote(piece) for piece in pieces]
        return Row("spaced", start, end, number, number, self.width, cells)

    def _crossing(self, start: int, end: int) -> int | None:
        """The place of the quote that closes a cell of this line on a later line. None if every cell ends
        on this line, -1 if no quote closes the last cell."""
        place = start
        while place < end:
            if self._text[place] == '"' and not self._has_letters(place, place + 1):
                match = _QUOTED.match(self._text, place)
                if match is None:
                    return -1
                if match.end() > end:
                    return match.end() - 1
                place = match.end()
            place = self._text.find(self.delimiter, place, end) + 1
            if place == 0:
                break
        return None

    def _mended(self, line: str) -> list[str] | None:
        """The cells of a line whose inner quotes are not doubled. None if their number is not the
        header's."""
        if (pieces := split_cells(self._escaped, line)) and len(pieces) == self.width:
            return [unescape(piece) for piece in pieces]
        if self._is_valid(line):
            return None
        if (pieces := split_cells(self._loose, line)) and len(pieces) == self.width:
            return [unquote(piece) for piece in pieces]
        return None

    def _escaped_lines(self, start: int, number: int) -> Row | None:
        """A row over several lines whose inner quotes stand behind backslashes."""
        match = self._escaped_row.match(self._text, start)
        if match is None or not self._at_end(match.end()) or '\\"' not in match.group():
            return None
        pieces = split_cells(self._escaped, match.group()) or []
        last = number + len(_LINE_END.findall(match.group()))
        if last == number or self._are_rows(start, match.end()):
            return None
        cells = [unescape(piece) for piece in pieces]
        return Row("spanning", start, match.end(), number, last, self.width, cells)

    def _ragged(self, start: int, end: int, number: int) -> Row:
        line = self._text[start:end]
        cells = split_cells(self._loose, line) or line.split(self.delimiter)
        if len(cells) > self.width and not any(cells[self.width :]):
            mended = [unquote(cell) for cell in cells[: self.width]]
            return Row("trimmed", start, end, number, number, self.width, mended)
        if len(cells) == self.width:
            cells = self._raw_cells(line)
        return Row("ragged", start, end, number, number, len(cells))

    def _ragged_lines(self, start: int, number: int) -> Row | None:
        """A row over several lines, none of which is a row, whose number of cells is not the header's."""
        match = self._any_row.match(self._text, start, start + RAGGED_CHARACTERS)
        if match is None or not self._at_end(match.end()):
            return None
        lines = _LINE_END.split(match.group())
        if any(len(self._raw_cells(line)) == self.width for line in lines[1:]):
            return None
        width = len(split_cells(self._cell, match.group()) or ())
        return Row("ragged", start, match.end(), number, number + len(lines) - 1, width)

    def _are_rows(self, start: int, end: int) -> bool:
        """Whether the lines that a quoted cell spans are rows: each has the header's number of cells, and
        the names of pictures, or two other columns, have the shape usual in the rest of the table."""
        lines = _LINE_END.split(self._text[start:end])
        spanned = [self._raw_cells(line) for line in lines]
        if any(len(cells) != self.width for cells in spanned):
            return False
        if any(self._doubled.search(line) for line in lines):
            return False
        alike = []
        for column in range(self.width):
            shapes = [shape_of(cells[column]) for cells in spanned[1:-1]]
            # The cells with the two quotes have another shape because of the quotes.
            ends = (spanned[0][column], spanned[-1][column])
            shapes += [shape_of(cell) for cell in ends if '"' not in cell or is_quoted(cell)]
            usual = Counter(shape_of(cells[column]) for cells in self._sure) or Counter(shapes)
            if not usual:
                continue
            shape, count = usual.most_common(1)[0]
            if not re.search(r"[0:]", shape) or count < ALIKE * usual.total() or not shapes:
                continue
            if shapes.count(shape) < ALIKE * len(shapes):
                return False
            alike.append(shape)
        pictures = any(":" in shape for shape in alike)
        return pictures or (len(alike) > 1 and bool(self._sure))

    def _is_valid(self, line: str) -> bool:
        return self._any_row.fullmatch(line) is not None

    def _raw_cells(self, line: str) -> list[str]:
        """The raw cells of a line on its own. Quotes that enclose no whole cell are letters."""
        valid = split_cells(self._cell, line) if self._is_valid(line) else None
        return valid or line.split(self.delimiter)

    @cached_property
    def _sure(self) -> list[list[str]]:
        """The raw cells of the first rows that fill one line each."""
        lines = (match.group() for match in _LINE.finditer(self._text, self._begin))
        rows = (split_cells(self._cell, line) or [] for line in lines if self._is_valid(line))
        return list(islice((cells for cells in rows if len(cells) == self.width), SURE_ROWS))

    def _has_letters(self, start: int, end: int) -> bool:
        place = bisect_left(self._letters, start)
        return place < len(self._letters) and self._letters[place] < end

    def _at_end(self, place: int) -> bool:
        return place == len(self._text) or self._text[place] in "\r\n"
