"""Values in IIIF documents: addresses, numbers and texts, in any form that publishers use."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from simsearch.catalog.paths import text

# A title such as "3 < 4 > 2" has no tags.
_TAGS = re.compile(r"<[/!]?[A-Za-z-][^<>]*>")
# Tags that begin a new line or cell: the words on both sides are not one word.
_BREAKS = re.compile(
    r"</?(?:br|p|div|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|hr|blockquote)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
LARGEST = 10**9  # pixels: no picture is larger, and no such number becomes part of an address


def as_list(value: Any) -> list[Any]:
    """A list as it is, a single value as a list of one, null as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or a single object as a list of one."""
    return [part for part in as_list(value) if isinstance(part, Mapping)]


def kind_of(value: Any) -> str:
    """The type of an object in lower case, without its prefix: "manifest" of "sc:Manifest"; "" without
    a type."""
    if isinstance(value, Mapping):
        for key in ("type", "@type"):
            for word in as_list(value.get(key)):
                if isinstance(word, str) and word.strip():
                    return re.split(r"[:#/]", word.strip())[-1].lower()
    return ""


def address_of(value: Any) -> str | None:
    """A web address: the value itself, an object's id, or the first in a list."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, Mapping):
        ids = [first.get("id"), first.get("@id")]
        first = next((part for part in ids if isinstance(part, str) and part), None)
    if not isinstance(first, str) or not _WEB.match(first := first.strip()):
        return None
    try:
        well_formed = bool(urlsplit(first).hostname) and urlsplit(first).port != 0
    except ValueError:
        return None
    return first if well_formed and _encodable(first) else None


def number_of(value: Any) -> int | None:
    """A positive whole number, also if it is text. None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 1 <= value <= LARGEST:  # neither is true of NaN
        return None
    return int(value)


def words(value: Any) -> str | None:
    return text("; ".join(all_words(value)))


def all_words(value: Any) -> list[str]:
    """The texts of a value in English, else without a language, else in the value's first language.

    HTML becomes plain text.
    """
    if isinstance(value, bool):
        return []
    if isinstance(value, str | int | float):
        return _plain(value)
    if isinstance(value, list):
        return [word for part in _one_language(value) for word in all_words(part)]
    if not isinstance(value, Mapping):
        return []
    if "@value" in value:
        return all_words(value["@value"])
    for language in sorted(value, key=_preference):
        if said := all_words(value[language]):
            return said
    return []


def _plain(value: str | float) -> list[str]:
    if isinstance(value, float) and not math.isfinite(value):
        return []
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    plain = " ".join(html.unescape(_TAGS.sub("", _BREAKS.sub(" ", str(value)))).split())
    if not _encodable(plain):  # half of a character outside the basic plane, which no file can hold
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [plain] if plain else []


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _one_language(values: list[Any]) -> list[Any]:
    """The members of a list in the preferred one of their languages. Presentation 2 lists the translations
    of a text side by side."""
    languages = [_language(value) for value in values]
    best = min(languages, key=_preference, default="")
    return [value for value, language in zip(values, languages, strict=True) if language == best]


def _language(value: Any) -> str:
    language = value.get("@language") if isinstance(value, Mapping) else None
    return language if isinstance(language, str) else ""


def _preference(language: str) -> int:
    """The rank of a language: English first, then texts without a language, then the others."""
    primary = re.split(r"[-_]", language.lower())[0]
    return {"en": 0, "": 1, "none": 1, "@none": 1}.get(primary, 2)
