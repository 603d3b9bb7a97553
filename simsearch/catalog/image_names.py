"""Names of images as tables write them: one or several in a cell, of any case, from any folder."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from pathlib import PurePosixPath

from simsearch.images.kinds import EXTENSIONS

WEB = ("http://", "https://")
SHOWN = 100  # characters of a name in a message
_SEPARATORS = re.compile(r"\s*[|;,\n]\s*")


def is_web(uri: str | None) -> bool:
    return uri is not None and uri.lower().startswith(WEB)


def loosened(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def short(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}…"


def parts_of(cell: str) -> list[str]:
    """The names in a cell."""
    return [part for part in _SEPARATORS.split(cell) if part] or [cell]


def named_together(cell: str) -> list[str]:
    """The names in a cell where each of its parts is an address or ends as a picture does."""
    for separator in ("|", "\n", ";", ","):
        parts = [part.strip() for part in cell.split(separator) if part.strip()]
        # Cut by hand: an address may be one that no library takes apart.
        pictures = [
            PurePosixPath(re.split("[?#]", part)[0]).suffix.lower() in EXTENSIONS for part in parts
        ]
        if len(parts) > 1 and (all(map(is_web, parts)) or (all(pictures) and not is_web(cell))):
            return parts
    return [cell]


def leads_out(name: str) -> bool:
    """Whether a relative name leads out of the folder that it starts from."""
    return posixpath.normpath(name.lstrip("/")).split("/")[0] == ".."


def beside(folder: str, name: str) -> str:
    """The URI that a name with ".." in it leads to from a folder's URI."""
    scheme, _, path = folder.partition("://")
    return f"{scheme}://{posixpath.normpath(f'{path}/{name}')}"
