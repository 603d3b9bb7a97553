"""The artwork ids of IIIF manifests: short forms of their addresses, as unique as the addresses.

Ids are published, so they contain no secret of an address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urldefrag

from simsearch.settings.secrets import distinct_without_secrets, without_secrets

_ENDINGS = ("/manifest.json", "/manifest", ".json")


def short_name(url: str) -> str:
    """`https://x.org/iiif/12/manifest.json` → `x.org/iiif/12`."""
    bare = urldefrag(without_secrets(url)).url.partition("://")[2].rstrip("/")
    for ending in _ENDINGS:
        if bare.endswith(ending):
            return bare.removesuffix(ending)
    return bare


class ManifestNames:
    """A name for each manifest: its short name, or its whole address if several manifests share the short
    name (`x.org/12` and `x.org/12.json`, http and https). Addresses that differ only in secrets get a
    digest at the end."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._used: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()  # addresses without their secrets
        self._ids: dict[str, str] = {}  # an artwork's id → its manifest

    def add(self, urls: Iterable[str]) -> None:
        """Name these manifests, given the names of earlier ones."""
        new = [url for url in urls if url not in self._of]
        self._used.update(short_name(url) for url in new)
        self._shown.update(without_secrets(url) for url in new)
        for url in new:
            short, shown = short_name(url), without_secrets(url)
            whole = shown if self._shown[shown] == 1 else distinct_without_secrets(url)
            self._of[url] = short if short and self._used[short] == 1 else whole

    def artwork_id(self, url: str, number: int | None) -> str | None:
        """The id of a manifest's picture (`number`: of several). None if another artwork has that id."""
        ending = "" if number is None else f"/{number}"
        for name in (self._of[url], without_secrets(url), distinct_without_secrets(url)):
            artwork_id = f"{name}{ending}"
            if artwork_id not in self._ids:
                self._ids[artwork_id] = url
                return artwork_id
        return None
