"""The addresses of pages and pictures, on the running explorer or in a static copy of it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Protocol
from urllib.parse import urlencode

from simsearch.reading.artworks import iiif_address
from simsearch.reading.view import HASH_DIGITS, SnapshotView

Value = str | int | None


class Addresses(Protocol):
    """The addresses to which templates link. `live` is False in a static copy, which has no server."""

    live: bool

    def page(self, name: str, /, **query: Value) -> str:
        """The address of a page with `query` in its query string. Values of None or "" are left out."""

    def artwork(self, artwork_id: str) -> str:
        """The address of an artwork's page."""

    def picture(self, item: int, size: int) -> str:
        """The address of an image of the snapshot, original or copy, at most `size` pixels wide and
        high."""

    def fallback(self, item: int, size: int) -> str | None:
        """The address of the explorer's own thumbnail if `picture` leads to another image server, else
        None."""

    def static(self, name: str) -> str:
        """The address of a script or style sheet."""


class LiveAddresses:
    """Addresses on the server. Each names its snapshot, so that it always shows the same."""

    live = True

    def __init__(self, view: SnapshotView, prefix: str) -> None:
        self._view, self._prefix = view, prefix

    def page(self, name: str, /, **query: Value) -> str:
        parameters = {key: value for key, value in query.items() if value not in (None, "")}
        return (
            f"{self._prefix}/{name}?{urlencode({'snapshot': self._view.snapshot_id, **parameters})}"
        )

    def artwork(self, artwork_id: str) -> str:
        return self.page("artwork", id=artwork_id)

    def picture(self, item: int, size: int) -> str:
        return self._elsewhere(item, size) or self._own(item, size)

    def fallback(self, item: int, size: int) -> str | None:
        return self._own(item, size) if self._elsewhere(item, size) else None

    def _elsewhere(self, item: int, size: int) -> str | None:
        if self._view.profile_of(item) is not None or not self._view.iiif_hosts:
            return None
        return iiif_address(self._view.artwork_of(item).row["image_uri"], size)

    def _own(self, item: int, size: int) -> str:
        return self.page(picture_path(self._view, item, size))

    def static(self, name: str) -> str:
        return f"{self._prefix}/static/{name}?v={static_version()}"


def picture_path(view: SnapshotView, item: int, size: int) -> str:
    """The path, below the explorer's address, of the explorer's picture of an image. It names an original by
    its content, a copy by its number."""
    if view.profile_of(item) is not None:
        return f"copies/{item}-{size}.webp"
    return f"thumbnails/{view.hashes[item].as_py()[:HASH_DIGITS]}-{size}.webp"


@cache
def static_version() -> str:
    """A text that changes with any script or style sheet. It is part of their addresses, so that browsers may
    keep the files for ever."""
    digest = hashlib.sha256()
    for file in sorted(files("simsearch.explorer").joinpath("static").iterdir(), key=str):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
