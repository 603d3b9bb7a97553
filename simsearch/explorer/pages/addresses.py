"""Where each page and picture is found: on the running explorer, or in a static copy of it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Protocol
from urllib.parse import urlencode

from simsearch.explorer.data.artworks import iiif_address
from simsearch.explorer.data.view import HASH_DIGITS, SnapshotView

Value = str | int | None


class Addresses(Protocol):
    """What the templates link with. `live` is False where no server answers."""

    live: bool

    def page(self, name: str, /, **query: Value) -> str:
        """A page, its state in the query; a value of None or "" is left out."""

    def artwork(self, artwork_id: str) -> str:
        """An artwork's page."""

    def picture(self, item: int, size: int) -> str:
        """An image of the snapshot, an original or a copy, as `size` pixels wide or high at most."""

    def fallback(self, item: int, size: int) -> str | None:
        """Our own thumbnail where `picture` is on an image server elsewhere; None: it is ours."""

    def static(self, name: str) -> str:
        """A script or style sheet."""


class LiveAddresses:
    """Addresses on the server, every one with its snapshot, so that it shows the same for ever."""

    live = True

    def __init__(self, view: SnapshotView, prefix: str) -> None:
        self._view, self._prefix = view, prefix

    def page(self, name: str, /, **query: Value) -> str:
        given = {key: value for key, value in query.items() if value not in (None, "")}
        return f"{self._prefix}/{name}?{urlencode({'snapshot': self._view.snapshot_id, **given})}"

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
        if self._view.profile_of(item) is not None:
            return self.page(f"copies/{item}-{size}.webp")
        short = self._view.hashes[item].as_py()[:HASH_DIGITS]
        return self.page(f"thumbnails/{short}-{size}.webp")

    def static(self, name: str) -> str:
        return f"{self._prefix}/static/{name}?v={static_version()}"


@cache
def static_version() -> str:
    """Changes with any script or style, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for file in sorted(files("simsearch.explorer").joinpath("static").iterdir(), key=str):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
