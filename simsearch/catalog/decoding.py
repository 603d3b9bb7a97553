"""Bytes as text. The encoding of a table is detected, and a guess is noted."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from charset_normalizer import from_bytes

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError

SAMPLE_BYTES = 256 * 1024
RARE_ZEROS = 0.01  # share of zero bytes; titles of 24 Chinese characters in UTF-16 leave 6 percent

# The code pages of Windows and of older Macs and PCs that museums' programs write.
_CODE_PAGES = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "iso8859_2", "mac_roman")
_EAST_ASIAN = ("shift_jis", "gb18030", "euc_kr", "big5")

# Letters beyond English, one language a line. They decide between two code pages that read equally well.
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
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_MARK_WITHIN = re.compile(r"(?<=[\r\n])\ufeff+")


def decode_text(data: bytes, encoding: str | None, source: str, notes: Notes) -> str:
    """Bytes as text in the encoding of the settings, else in the detected one.

    A guess that may be wrong is noted with an example. Raises CatalogError.
    """
    name = encoding or _detect_encoding(data)
    text = _guess(data, source, notes) if name is None else _decode(data, name, source)
    return _remove_inner_marks(text, source, notes)


def _decode(data: bytes, name: str, source: str) -> str:
    try:
        return data.decode(name)
    except LookupError:
        raise CatalogError(
            f"catalog.encoding: no encoding {name!r}; write utf-8, utf-16, cp1250 or cp1252"
        ) from None
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{source}: not {name} text (byte {error.start:,}); set catalog.encoding to another, null detects it"
        ) from None


def _detect_encoding(data: bytes) -> str | None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if unmarked := _detect_utf_16(data[:SAMPLE_BYTES]):
        return unmarked
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8-sig"  # with or without a mark


def _detect_utf_16(head: bytes) -> str | None:
    """The byte order of UTF-16 text without a mark. None for another encoding.

    Every second byte of Latin text is zero. In other scripts the bytes of separators and line ends have
    zeros: all on the same side, as the text itself contains no zero.
    """
    odd, even = head[1::2].count(0), head[::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    if odd + even > len(head) // 4:
        return name
    if max(odd, even) < max(3, len(head) * RARE_ZEROS) or min(odd, even) * 20 > max(odd, even):
        return None
    try:
        text = codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    return name if "\0" not in text and ("\n" in text or "\r" in text) else None


def _guess(data: bytes, source: str, notes: Notes) -> str:
    data = data.removeprefix(codecs.BOM_UTF8)
    telling = [line for line in data.splitlines() if not line.isascii()]
    odd = [line for line in telling if not _is_utf8(line)]
    if 2 * len(odd) <= len(telling):
        others = b"\n".join(telling)[:SAMPLE_BYTES].decode("utf-8", "ignore")
        return _decode_mixed(data, _choose_code_page(odd, _CODE_PAGES, others), source, notes)
    encoding = _choose_code_page(telling, (*_CODE_PAGES, *_EAST_ASIAN))
    text = data.decode(encoding, errors="replace")
    example = next((line for line in text.splitlines() if not line.isascii()), "")[:60].strip()
    notes.say(
        f"{source}: read as {encoding}, a guess (“{example}”); set catalog.encoding if that looks wrong"
    )
    return text


def _choose_code_page(lines: Sequence[bytes], pages: Sequence[str], others: str = "") -> str:
    """The code page that fits the lines best; `others` are letters of the text's language, if known. Only
    lines with letters beyond English distinguish pages. Between equal pages Western Europe's is chosen."""
    sample = b"\n".join(lines)[:SAMPLE_BYTES]
    matches = list(from_bytes(sample, cp_isolation=list(pages)))
    equal = [match for match in matches if match.chaos <= matches[0].chaos + 0.02]
    best = max(
        equal,
        key=lambda match: (
            _fit(others + str(match)),
            match.coherence,
            match.encoding == "cp1252",
        ),
        default=None,
    )
    return "cp1252" if best is None else best.encoding


def _decode_mixed(data: bytes, page: str, source: str, notes: Notes) -> str:
    """UTF-8 text in which some lines have bytes of a code page."""
    handler = f"simsearch-{page}"

    def read_odd(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return error.object[error.start : error.end].decode(page, "replace"), error.end

    codecs.register_error(handler, read_odd)
    lines = data.splitlines()
    odd = [number for number, line in enumerate(lines) if not _is_utf8(line)]
    example = lines[odd[0]].decode("utf-8", handler)[:60].strip()
    notes.say(
        f"{source}: {len(odd):,} lines are not UTF-8 as the others are, their odd bytes are read as {page}, a guess (first: line {odd[0] + 1:,}, “{example}”); save the table as UTF-8"
    )
    return data.decode("utf-8", handler)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _remove_inner_marks(text: str, source: str, notes: Notes) -> str:
    """The text without byte order marks at the beginning of lines, which joined files leave."""
    text, count = _MARK_WITHIN.subn("", text)
    if count:
        notes.say(
            f"{source}: {count:,} lines begin with a byte order mark, as in files that were joined; the marks are left out"
        )
    return text


def _fit(text: str) -> float:
    """The largest share of a text's non-English letters that belong to the alphabet of one language."""
    letters = [letter for letter in text.lower() if letter.isalpha() and not letter.isascii()]
    if not letters:
        return 0.0
    return max(sum(map(alphabet.count, letters)) for alphabet in _ALPHABETS) / len(letters)
