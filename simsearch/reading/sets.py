"""Sets of artworks that someone chose: a name and numbers, short enough for an address."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from simsearch.errors import UsageError

MOST = 5000  # artworks of a set
MOST_TEXT = 12_000  # characters of its numbers in an address
MOST_NAME = 80  # characters
UNNAMED = "Unnamed set"
_TEXT = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True)
class ArtworkSet:
    """A named set of artworks. `numbers` are the artworks' numbers in a view, ascending, each once."""

    name: str
    numbers: tuple[int, ...]

    @property
    def text(self) -> str:
        return encode(self.numbers)


def clean_name(text: str) -> str:
    """One line of printable text of at most MOST_NAME characters. UNNAMED for an empty one."""
    return one_line(text) or UNNAMED


def one_line(text: str) -> str:
    """The printable text in one line, cut to MOST_NAME characters."""
    printable = "".join(
        " " if letter.isspace() else letter
        for letter in unicodedata.normalize("NFC", text)
        if letter.isspace() or unicodedata.category(letter)[0] != "C"
    )
    return " ".join(printable.split())[:MOST_NAME].strip()


def encode(numbers: Iterable[int]) -> str:
    """Numbers as text for an address: the differences between successive numbers, each in as many 7-bit
    bytes as needed (LEB128), in base64url without padding."""
    data = bytearray()
    before = -1
    for number in sorted(set(numbers)):
        step = number - before - 1
        before = number
        while step > 127:
            data.append(step & 127 | 128)
            step >>= 7
        data.append(step)
    return base64.urlsafe_b64encode(bytes(data)).rstrip(b"=").decode()


def encode_if_few(numbers: set[int]) -> str | None:
    """Numbers as text for an address. None for more than a set holds."""
    return encode(numbers) if len(numbers) <= MOST else None


def decode(text: str, count: int) -> tuple[int, ...]:
    """The numbers in a text of `encode`, all below `count`. Raises UsageError for any other text."""
    wrong = UsageError(
        "ids: no set of this snapshot's artworks; open it by the link you were given"
    )
    if len(text) > MOST_TEXT:
        raise UsageError(f"ids: a set holds {MOST:,} artworks at most; choose fewer")
    if not _TEXT.match(text):
        raise wrong
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    numbers: list[int] = []
    number, step, shift = -1, 0, 0
    for byte in data:
        step |= (byte & 127) << shift
        shift += 7
        if byte & 128:
            if shift > 28:
                raise wrong
            continue
        number += step + 1
        if number >= count:
            raise wrong
        numbers.append(number)
        step, shift = 0, 0
    if shift or not numbers:
        raise wrong
    if len(numbers) > MOST:
        raise UsageError(f"ids: a set holds {MOST:,} artworks at most; choose fewer")
    return tuple(numbers)
