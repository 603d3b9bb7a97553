"""CSV and its relatives from any program: encoding and delimiter are guessed, and the guess is
noted."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import overload

import pyarrow as pa
import pyarrow.csv
from charset_normalizer import from_bytes

from simsearch.catalog.cells import quoted
from simsearch.catalog.lines import Kind, Lines, OpenQuoteError, Row
from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 200
MAX_BLOCK = 2**31 - 1  # bytes; Arrow's limit

# The code pages of Windows and of older Macs and PCs that museums' programs write.
_CODE_PAGES = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "iso8859_2", "mac_roman")
_EAST_ASIAN = ("shift_jis", "gb18030", "euc_kr", "big5")

# Letters beyond English, a language each: they decide where two code pages read equally well.
_ALPHABETS = (
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "ąćęłńóśźż",  # Polish
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovenian
    "ăâîşţ",  # Romanian
    "äöüß",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíóúüñ",  # Spanish
    "àéèìíîòóù",  # Italian
    "áâãàçéêíóôõú",  # Portuguese
    "åäöæøé",  # Scandinavian, Finnish
    "äëéèïöüó",  # Dutch
    "çğıöşü",  # Turkish
    "āčēģīķļņšūžąęėįųõ",  # Baltic
)

_MARKS = (  # UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes, encoding: str | None, source: str, notes: Notes) -> str:
    """Bytes as text in the encoding that was set, else the one found out.

    A guess that could be another is told with an example. Raises CatalogError.
    """
    name = encoding or _certain_encoding(data)
    if name is None:
        return _guessed(data, source, notes)
    try:
        return data.decode(name)
    except LookupError:
        raise CatalogError(
            f"catalog.encoding: no encoding {name!r}; write utf-8, utf-16, cp1250 or cp1252"
        ) from None
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{source}: not {name} text (byte {error.start:,}); set catalog.encoding to another, null finds it out"
        ) from None


def read_delimited(
    text: str, delimiter: str | None, source: str, notes: Notes
) -> tuple[pa.Table, Sequence[str] | None, str]:
    """A table with every cell as text, empty ones null; where its rows stand, in words (None: each by
    its number); and its delimiter in words.

    Rows with another number of cells than the header are left out and counted. Raises CatalogError,
    also for a quote that no later one closes.
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
    delimiter = delimiter or find_delimiter(text)
    try:
        lines = Lines(text, delimiter)
        names = _names(lines.header, source, notes)
        data, numbers = _valid_text(text, lines, source, notes)
    except OpenQuoteError as error:
        raise CatalogError(
            f"{source}: line {error.line:,} opens a quote that no later line closes; close it, or double it where it is a letter"
        ) from None
    table = _parsed(data, delimiter, names, source)
    if table.num_rows != len(numbers):
        raise CatalogError(
            f"{source}: {len(numbers):,} rows became {table.num_rows:,}; save the table as CSV in UTF-8 again"
        )
    places = None if numbers == list(range(1, len(numbers) + 1)) else _Places(numbers)
    return table, places, DELIMITERS.get(delimiter, repr(delimiter))


@dataclass(frozen=True)
class _Places(Sequence[str]):
    """Where rows stand whose number is not their place."""

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
    """The rows as valid text that no quote can confuse, and the number of each among all, from 1."""
    pieces: list[bytes] = []
    numbers: list[int] = []
    examples: dict[Kind, list[Row]] = {"spanning": [], "mended": []}
    begin: int | None = None  # where the rows begin that stay as they are
    end = 0
    for number, row in enumerate(lines.rows(), start=1):
        if row.kind in examples:
            examples[row.kind].append(row)
        if row.kind == "ragged" or row.cells is not None:
            if begin is not None:
                pieces.append(text[begin:end].encode() + b"\n")
            begin = None
        elif begin is None:
            begin = row.start
        end = row.end
        if row.kind == "ragged":
            notes.leave_out(
                "rows with too few or too many cells",
                f"row {number}{_span(row)} has {row.width} instead of {lines.width}",
            )
            continue
        if row.cells is not None:
            pieces.append(quoted(row.cells, lines.delimiter).encode() + b"\n")
        numbers.append(number)
    if begin is not None:
        pieces.append(text[begin:end].encode() + b"\n")
    if spanning := examples["spanning"]:
        notes.say(
            f"{source}: {len(spanning):,} rows have a cell that spans lines (first:{_span(spanning[0]).strip(',')})"
        )
    if mended := examples["mended"]:
        notes.say(
            f"{source}: {len(mended):,} rows have quotes that enclose no whole cell, read as letters (first: line {mended[0].first:,})"
        )
    return b"".join(pieces), numbers


def _span(row: Row) -> str:
    return "" if row.first == row.last else f", lines {row.first:,} to {row.last:,},"


def _parsed(data: bytes, delimiter: str, names: list[str], source: str) -> pa.Table:
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


def find_delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into as many cells as the header has.

    A comma for a table of one column.
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
    """Of the first rows, the share that have the header's number of cells."""
    regular = count = 1  # the header
    try:
        for row in islice(lines.rows(), SAMPLE_ROWS):
            count += 1
            regular += row.kind != "ragged"
    except OpenQuoteError:
        count += 1
    return regular / count


def _names(header: list[str], source: str, notes: Notes) -> list[str]:
    """A name for each column; columns without one are called by their number."""
    names = [name.strip() for name in header]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise CatalogError(f"{source}: column {twice[0]!r} occurs twice; rename one of them")
    nameless = [number for number, name in enumerate(names, start=1) if not name]
    for number in nameless:
        names[number - 1] = _free_name(f"column {number}", names)
    if nameless and any(header):
        called = ", ".join(names[number - 1] for number in nameless[:3])
        notes.say(f"{source}: {len(nameless):,} columns have no name; called {called}")
    return names


def _free_name(name: str, names: list[str]) -> str:
    return name if name not in names else _free_name(f"{name}'", names)


def _certain_encoding(data: bytes) -> str | None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:SAMPLE_BYTES]
    if head.count(b"\0") > len(head) // 4:  # UTF-16 without a mark: every second byte of Latin text
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _guessed(data: bytes, source: str, notes: Notes) -> str:
    # Only lines with other letters than English tell code pages apart.
    telling = [line for line in data.splitlines() if not line.isascii()]
    sample = b"\n".join(telling)[:SAMPLE_BYTES]
    matches = list(from_bytes(sample, cp_isolation=[*_CODE_PAGES, *_EAST_ASIAN]))
    equal = [match for match in matches if match.chaos <= matches[0].chaos + 0.02]
    best = max(equal, key=lambda match: (_fit(str(match)), match.coherence), default=None)
    encoding = "cp1252" if best is None else best.encoding
    text = data.decode(encoding, errors="replace")
    example = next((line for line in text.splitlines() if not line.isascii()), "")[:60].strip()
    notes.say(
        f"{source}: read as {encoding}, a guess (“{example}”); set catalog.encoding if that looks wrong"
    )
    return text


def _fit(text: str) -> float:
    """The largest share of a text's non-English letters that belong to the alphabet of one language."""
    letters = [letter for letter in text.lower() if letter.isalpha() and not letter.isascii()]
    if not letters:
        return 0.0
    return max(sum(map(alphabet.count, letters)) for alphabet in _ALPHABETS) / len(letters)
