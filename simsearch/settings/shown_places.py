"""What pages, reports and files for others show of places: names of files, never where they lie.

A web address is shown without user, password and query. Of an absolute path or a bucket's address the
last part is shown, of a bucket alone nothing. A relative path says nothing of the server and stays.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

from simsearch.settings.config import Config, kept_settings

ELSEWHERE = "…"
PLACE = re.compile(
    r"(?:parquet\+)?[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>,;]+|(?<![\w.<~/])~?/(?:[^\s'\"<>,;:/]+/)*[^\s'\"<>,;:/]+"
)
"""An address, or an absolute path, within a sentence."""


def shown_place(place: str) -> str:
    """A folder's, file's or web address as others may see it."""
    if not place.startswith(("/", "~")) and "://" not in place:
        return shown_text(place) if PLACE.search(place) else place
    parts = urlsplit(place)
    if parts.scheme in ("http", "https"):
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    path = parts.path if parts.netloc else place.partition("://")[2] or place
    name = path.rstrip("/").rpartition("/")[2]
    return f"{ELSEWHERE}/{name}" if name else ELSEWHERE


def shown_text(text: str) -> str:
    """A sentence with each place in it as others may see it."""
    return PLACE.sub(lambda match: shown_place(match[0]), text)


def shown_settings(config: Config) -> str:
    """The settings that may be published, as YAML."""
    return yaml.safe_dump(_shown(kept_settings(config)), sort_keys=False, allow_unicode=True)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {_shown(key): _shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return shown_place(value) if isinstance(value, str) else value


def shown_reject(row: dict[str, Any]) -> dict[str, Any]:
    """A row of schemas.REJECTS as others may see it."""
    uri, detail = row["image_uri"], row["detail"]
    if uri and detail:  # a path with spaces is found whole this way
        for place in (uri, uri.removeprefix("file://")):
            detail = detail.replace(place, shown_place(place))
    return {
        **row,
        "image_uri": uri and shown_place(uri),
        "detail": detail and shown_text(detail),
    }
