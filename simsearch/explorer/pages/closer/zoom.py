"""The values of the page that shows a picture in all its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import HASH_DIGITS, SnapshotView
from simsearch.reading.zoom import (
    Tiles,
    image_service,
    image_sources,
    service_host,
)


@dataclass(frozen=True)
class ZoomPage(Page):
    template: ClassVar[str] = "closer/zoom"

    artwork: ViewArtwork


def zoom_page(view: SnapshotView, artwork_id: str) -> ZoomPage:
    return ZoomPage(view.artwork(artwork_id))


def tile_hosts(site: Site, view: SnapshotView, artwork: ViewArtwork) -> list[str]:
    """The image server that an artwork's tiles may come from, as https://host; none where they are made
    here."""
    base = _service(site, view, artwork)
    return [service_host(base)] if base else []


def tiles_of(site: Site, view: SnapshotView, to: Addresses, artwork_id: str) -> Tiles:
    """The tiles of an artwork's picture, from its image server if that answers, else made here."""
    artwork = view.artwork(artwork_id)
    if base := _service(site, view, artwork):
        remote = site.image_servers.tiles(base)
        if remote is not None:
            return remote
    name = f"zoom/{artwork.content_hash[:HASH_DIGITS]}/FACTOR-COLUMN-ROW.webp"
    address = to.page(name)
    for word in ("FACTOR", "COLUMN", "ROW"):  # in letters that an address leaves as they are
        address = address.replace(word, f"{{{word.lower()}}}", 1)
    return site.tiles.describe(view, artwork.item, address)


def _service(site: Site, view: SnapshotView, artwork: ViewArtwork) -> str | None:
    sources = site.derived(view, "sources", lambda: image_sources(view))
    return image_service(artwork, sources)
