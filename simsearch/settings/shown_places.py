"""Places as pages, reports and exported files show them: the names of files, never their folders.

A web address is shown without user, password and query. An absolute path and a bucket's address are
reduced to their last part, a bucket alone to nothing. A relative path reveals nothing about the server
and stays.
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


def show_place(place: str) -> str:
    """A folder's, file's or web address as others may see it."""
    if not place.startswith(("/", "~")) and "://" not in place:
        return show_text(place) if PLACE.search(place) else place
    parts = urlsplit(place)
    if parts.scheme in ("http", "https"):
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    path = parts.path if parts.netloc else place.partition("://")[2] or place
    name = path.rstrip("/").rpartition("/")[2]
    return f"{ELSEWHERE}/{name}" if name else ELSEWHERE


def show_text(text: str) -> str:
    """A sentence with each place in it as others may see it."""
    return PLACE.sub(lambda match: show_place(match[0]), text)


def show_settings(config: Config) -> str:
    """The settings that may be published, as YAML."""
    return yaml.safe_dump(_show_value(kept_settings(config)), sort_keys=False, allow_unicode=True)


def _show_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {_show_value(key): _show_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_show_value(inner) for inner in value]
    return show_place(value) if isinstance(value, str) else value


def show_reject(row: dict[str, Any]) -> dict[str, Any]:
    """A row of schemas.REJECTS as others may see it."""
    uri, detail = row["image_uri"], row["detail"]
    if uri and detail:  # a path with spaces is found whole this way
        for place in (uri, uri.removeprefix("file://")):
            detail = detail.replace(place, show_place(place))
    return {
        **row,
        "image_uri": uri and show_place(uri),
        "detail": detail and show_text(detail),
    }
