"""CSV and its relatives from any program as tables of texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from simsearch.catalog.cells import quote_row
from simsearch.catalog.image_names import shorten
from simsearch.catalog.lines import Kind, Lines, OpenQuoteError, Row
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE_ROWS = 200
MAX_BLOCK = 2**31 - 1  # bytes; Arrow's limit
_COMMENTS = re.compile(r"[ \t\r\n]*#[^\r\n]*(?:\r\n|\n|\r)(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r))*")
# Programs write ids so that spreadsheets keep their zeros.
_TEXT_FORMULA = r'^\s*=\s*"((?:[^"]|"")*)"\s*$'

# The notes about rows that are not read as they stand, by the kind of row.
_NOTES: Mapping[Kind, str] = {
    "spanning": "a cell that spans lines",
    "mended": "quotes that enclose no whole cell, read as letters",
    "spaced": "spaces around quoted cells, left out",
    "trimmed": "empty cells beyond the header's, left out",
}
# Why rows of a kind are left out, and the example: the place, the row's cells, the header's cells.
_LEFT_OUT: Mapping[Kind, tuple[str, str]] = {
    "ragged": ("rows with too few or too many cells", "{} has {} instead of {}"),
    "repeated": ("rows that repeat the header", "{}"),
}


def read_delimited(
    text: str, delimiter: str | None, source: str, notes: Notes
) -> tuple[pa.Table, Sequence[str] | None, str]:
    """A table with every cell as text (empty ones null), the places of its rows in words (None: their
    numbers), and its delimiter in words.

    Rows whose number of cells is not the header's are left out and counted. Raises CatalogError, also
    for a quote that no later quote closes.
    """
    if nul := text.count("\0"):
        notes.say(
            f"{source}: {nul:,} NUL characters were left out; get the file again if text is missing"
        )
        text = text.replace("\0", "")
    text = text.lstrip("\ufeff")
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip("\r\n")) == 5:
        delimiter, text = delimiter or first[4], rest  # Excel's own hint
    text = _remove_comments(text, delimiter, source, notes)
    delimiter = delimiter or find_delimiter(text)
    try:
        lines = Lines(text, delimiter)
        names = _name_columns(lines.header, source, notes)
        data, numbers = _valid_text(text, lines, source, notes)
    except OpenQuoteError as error:
        raise CatalogError(
            f"{source}: line {error.line:,} opens a quote that no later line closes; close it, or double it where it is a letter"
        ) from None
    table = _read_formulas(_parse(data, delimiter, names, source), source, notes)
    if table.num_rows != len(numbers):
        raise CatalogError(
            f"{source}: {len(numbers):,} rows became {table.num_rows:,}; save the table as CSV in UTF-8 again"
        )
    places = None if numbers == list(range(1, len(numbers) + 1)) else _Places(numbers)
    return table, places, DELIMITERS.get(delimiter, repr(delimiter))


def _remove_comments(text: str, delimiter: str | None, source: str, notes: Notes) -> str:
    """The text with its first lines emptied if they begin with "#" and are not the header."""
    comments = _COMMENTS.match(text)
    if comments is None:
        return text
    lines = comments.group().splitlines(keepends=True)
    following = text[comments.end() :].partition("\n")[0]
    last = next(line for line in reversed(lines) if line.strip())
    for mark in [delimiter] if delimiter else DELIMITERS:
        if 0 < last.count(mark) == following.count(mark):
            lines = lines[: len(lines) - 1 - lines[::-1].index(last)]  # "#,title,image" is a header
            break
    length = sum(map(len, lines))
    if count := sum(line.lstrip().startswith("#") for line in lines):
        notes.say(f"{source}: {count:,} lines above the header begin with # and are left out")
    empty = "".join(line[len(line.rstrip("\r\n")) :] for line in lines)
    return empty + text[length:]


@dataclass(frozen=True)
class _Places(Sequence[str]):
    """The places of rows in words, for tables in which a row's number is not its place."""

    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [f"row {number:,}" for number in self.numbers[index]]
        return f"row {self.numbers[index]:,}"


def _valid_text(text: str, lines: Lines, source: str, notes: Notes) -> tuple[bytes, list[int]]:
    """The rows as valid text, safe from stray quotes, and each row's number among all rows, from 1."""
    pieces: list[bytes] = []
    numbers: list[int] = []
    examples: dict[Kind, list[Row]] = {}
    begin: int | None = None  # where the rows begin that stay as they are
    end = 0
    for number, row in enumerate(lines.rows(), start=1):
        if row.kind in _NOTES:
            examples.setdefault(row.kind, []).append(row)
        left_out = _LEFT_OUT.get(row.kind)
        # Blank lines between may hold delimiters or spaces.
        if begin is not None and (left_out or row.cells or text[end : row.start].strip("\r\n")):
            pieces.append(text[begin:end].encode() + b"\n")
            begin = None
        end = row.end
        if left_out is not None:
            reason, example = left_out
            place = f"row {number}{_span(row)}"
            notes.leave_out(reason, example.format(place, row.width, lines.width).rstrip(","))
            continue
        numbers.append(number)
        if row.cells is not None:
            pieces.append(quote_row(row.cells, lines.delimiter).encode() + b"\n")
        elif begin is None:
            begin = row.start
    if begin is not None:
        pieces.append(text[begin:end].encode() + b"\n")
    for kind, statement in _NOTES.items():
        if rows := examples.get(kind):
            first = _span(rows[0]).strip(", ") or f"line {rows[0].first:,}"
            notes.say(f"{source}: {len(rows):,} rows have {statement} (first: {first})")
    return b"".join(pieces), numbers


def _span(row: Row) -> str:
    return "" if row.first == row.last else f", lines {row.first:,} to {row.last:,},"


def _parse(data: bytes, delimiter: str, names: list[str], source: str) -> pa.Table:
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # A row must not straddle two blocks.
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, block_size=min(len(data) + 1, MAX_BLOCK)
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CatalogError(f"{source}: not a readable table ({error}); check the file") from None


def _read_formulas(table: pa.Table, source: str, notes: Notes) -> pa.Table:
    """The table with `00123` for each cell `="00123"`, which spreadsheets show as that text."""
    count, example = 0, ""
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        written = pc.fill_null(pc.match_substring_regex(column, _TEXT_FORMULA), False)
        matching = pc.sum(written).as_py() or 0
        if not matching:
            continue
        example = example or pc.filter(column, written)[0].as_py()
        count += matching
        texts = pc.replace_substring_regex(column, _TEXT_FORMULA, r"\1")
        texts = pc.replace_substring(texts, '""', '"')
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        table = table.set_column(position, name, pc.if_else(written, texts, column))
    if count:
        notes.say(
            f"{source}: {count:,} cells are formulas of a text and read as that text (first: {example[:60]})"
        )
    return table


def find_delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into as many cells as the header.

    For a table of one column it is a comma.
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            lines = Lines(text, delimiter)
        except OpenQuoteError:
            continue
        if lines.width < 2:
            continue
        score = (_regular_share(lines), lines.width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _regular_share(lines: Lines) -> float:
    """The share of the first rows that have the header's number of cells."""
    regular = count = 1  # the header
    try:
        for row in islice(lines.rows(), SAMPLE_ROWS):
            count += 1
            regular += row.kind != "ragged"
    except OpenQuoteError:
        count += 1
    return regular / count


def _name_columns(header: list[str], source: str, notes: Notes) -> list[str]:
    """A name for each column; columns without one are called by their number."""
    names = [re.sub(_TEXT_FORMULA, r"\1", name).strip() for name in header]
    if twice := sorted(name for name, count in Counter(names).items() if name and count > 1):
        raise CatalogError(
            f"{source}: column {shorten(twice[0])!r} occurs twice; rename one of them"
        )
    nameless = [number for number, name in enumerate(names, start=1) if not name]
    for number in nameless:
        names[number - 1] = _free_name(f"column {number}", names)
    if nameless and any(header):
        called = ", ".join(names[number - 1] for number in nameless[:3])
        notes.say(f"{source}: {len(nameless):,} columns have no name; called {called}")
    return names


def _free_name(name: str, names: list[str]) -> str:
    return name if name not in names else _free_name(f"{name}'", names)
