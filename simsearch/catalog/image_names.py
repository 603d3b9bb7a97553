"""Names of images in tables: one or several in a cell, in any case, from any folder."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from pathlib import PurePosixPath

from simsearch.images.kinds import EXTENSIONS

WEB = ("http://", "https://")
SHOWN = 100  # characters of a name in a message
LONGEST_PLACE = 1000  # characters of a path or an address in a message
LONGEST_NAME = 4096  # bytes of a path that a system takes
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]+=*\s*")
_SEPARATORS = re.compile(r"\s*[|;,\n]\s*")


def is_web(uri: str | None) -> bool:
    return uri is not None and uri.lower().startswith(WEB)


def loosen(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def shorten(name: str, most: int = SHOWN) -> str:
    """The text as a message shows it."""
    return name if len(name) <= most else f"{name[:most]}…"


def is_picture_text(cell: str) -> bool:
    """Whether a cell holds a picture itself, as a data URI or in base64."""
    if cell[:11].lower() == "data:image/":
        return True
    return len(cell) > LONGEST_NAME and _BASE64.fullmatch(cell) is not None


def parts_of(cell: str) -> list[str]:
    """The names in a cell."""
    return [part for part in _SEPARATORS.split(cell) if part] or [cell]


def split_pictures(cell: str) -> list[str]:
    """The names in a cell, each part of which is an address or ends as a picture does."""
    for separator in ("|", "\n", ";", ","):
        parts = [part.strip() for part in cell.split(separator) if part.strip()]
        # Cut by hand: libraries refuse some addresses.
        pictures = [
            PurePosixPath(re.split("[?#]", part)[0]).suffix.lower() in EXTENSIONS for part in parts
        ]
        if len(parts) > 1 and (all(map(is_web, parts)) or (all(pictures) and not is_web(cell))):
            return parts
    return [cell]


def leads_out(name: str) -> bool:
    """Whether a relative name leads out of its starting folder."""
    return posixpath.normpath(name.lstrip("/")).split("/")[0] == ".."


def resolve_name(folder: str, name: str) -> str:
    """The URI to which a name with ".." leads, from a folder's URI."""
    scheme, _, path = folder.partition("://")
    return f"{scheme}://{posixpath.normpath(f'{path}/{name}')}"
