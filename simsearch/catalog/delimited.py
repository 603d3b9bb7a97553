"""CSV and its relatives from any program: encoding and delimiter are guessed, and the guess is
noted."""

from __future__ import annotations

import codecs
import csv
import io

import pyarrow as pa
import pyarrow.csv
from charset_normalizer import from_bytes

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE_BYTES = 256 * 1024
SAMPLE_LINES = 200

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
) -> tuple[pa.Table, str]:
    """A table with every cell as text, empty ones null, and its delimiter in words.

    Rows with another number of cells than the header are left out and counted. Raises CatalogError.
    """
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        delimiter, text = delimiter or first.strip()[4], rest
    delimiter = delimiter or find_delimiter(text)
    names = _header(text, delimiter, source)
    data = pa.py_buffer(text.encode())

    def ragged(row: pyarrow.csv.InvalidRow) -> str:
        notes.leave_out(
            "rows with too few or too many cells",
            f"row {(row.number or 2) - 1} has {row.actual_columns} instead of {row.expected_columns}",
        )
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # One thread numbers the rows for `ragged`.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=64 * 2**20),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=ragged
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        raise CatalogError(f"{source}: not a readable table ({error}); check the file") from None
    return table, DELIMITERS.get(delimiter, repr(delimiter))


def find_delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into as many cells as the header has.

    A comma for a table of one column.
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = _first_rows(text, delimiter)
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        score = (sum(len(row) == width for row in rows) / len(rows), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text[:SAMPLE_BYTES]), delimiter=delimiter)
    rows = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_LINES:
                break
    except csv.Error:
        return []
    # The last may be cut by the sample's end.
    return rows[:-1] if len(rows) > 1 and len(text) > SAMPLE_BYTES else rows


def _header(text: str, delimiter: str, source: str) -> list[str]:
    rows = _first_rows(text, delimiter)
    names = rows[0] if rows else []
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogError(f"{source}: column {twice[0]!r} occurs twice; rename one of them")
    return names


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
