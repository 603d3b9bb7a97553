"""Tiles of a picture for a deep zoom: from the picture's image server, or made here."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard

from PIL import Image

from simsearch.catalog.image_api import image_api
from simsearch.catalog.stored_downloads import downloaded_from
from simsearch.errors import NotFoundError
from simsearch.reading.artworks import IIIF_IMAGE, ViewArtwork
from simsearch.reading.originals import Originals
from simsearch.reading.view import SnapshotView

TILE = 512  # pixels of a side
WEBP_QUALITY = 82
MEMORY_BYTES = 32 * 2**20  # of tiles in memory; the least recently shown is dropped first
LARGEST = 10**6  # pixels of a side; an image server that claims more is not believed
FACTORS = tuple(2**power for power in range(12))


@dataclass(frozen=True)
class Tiles:
    """The tiles of a picture: its size, the tiles' side, and the factors by which they are reduced. In
    `address` a viewer fills in {factor}, {column} and {row}, or the {region} of the whole picture and the
    {out}put's width and {high} height. `host` is None if the tiles are made here."""

    width: int
    height: int
    tile: int
    factors: tuple[int, ...]
    address: str
    host: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def image_service(artwork: ViewArtwork, sources: Mapping[str, str]) -> str | None:
    """The base address of the IIIF image from which an artwork's picture was taken. None if there is none,
    or if the picture is a part of an image, whose tiles would show more."""
    uri = artwork.row["image_uri"] or ""
    match = IIIF_IMAGE.match(sources.get(uri, uri))
    if match is None or (match["region"], match["rotation"]) != ("full", "0"):
        return None
    return f"{match['host']}{match['path']}"


def image_sources(view: SnapshotView) -> dict[str, str]:
    """The web addresses from which the root's stored pictures were downloaded."""
    return downloaded_from(view.snapshot.storage)


def service_host(base: str) -> str:
    """https://host of an image service, for the Content-Security-Policy."""
    return "/".join(base.split("/", 3)[:3])


def read_info(info: Any, base: str) -> Tiles | None:
    """The tiles that an info.json of the IIIF Image API, version 2 or 3, describes. None for another
    document, or if it offers no tiles.

    Its own address in the info.json is not used: pictures come from the catalog's addresses.
    """
    if not isinstance(info, Mapping):
        return None
    width, height = info.get("width"), info.get("height")
    if not (_number(width, 1, LARGEST) and _number(height, 1, LARGEST)):
        return None
    version, level = image_api(info)
    listed = info.get("tiles")
    tiles = listed[0] if isinstance(listed, list) and listed else {}
    side = tiles.get("width") if isinstance(tiles, Mapping) else None
    listed_factors = tiles.get("scaleFactors") if isinstance(tiles, Mapping) else None
    factors = listed_factors if isinstance(listed_factors, list) else []
    if level < 1 and not (_number(side, 64, 4096) and factors):
        return None
    known = {factor for factor in factors or FACTORS if _number(factor, 1, FACTORS[-1])}
    if not known:
        return None
    size = "{out},{high}" if version == 3 else "{out},"
    return Tiles(
        width=width,
        height=height,
        tile=side if _number(side, 64, 4096) else TILE,
        factors=tuple(sorted(known)),
        address=f"{base}/{{region}}/{size}/0/default.jpg",
        host=service_host(base),
    )


def _number(value: Any, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


class TileMaker:
    """Makes tiles of originals and keeps the latest."""

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._kept: OrderedDict[tuple[str, int, int, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def describe(self, view: SnapshotView, item: int, address: str) -> Tiles:
        """The tiles that this explorer makes of a picture. Raises NotFoundError if the picture is gone."""
        width, height = self._originals.whole(view, item).size
        wanted = [factor for factor in FACTORS if max(width, height) / factor > TILE]
        return Tiles(width, height, TILE, tuple(wanted) or (1,), address)

    def tile(self, view: SnapshotView, item: int, factor: int, column: int, row: int) -> bytes:
        """A tile as WebP. Raises NotFoundError for one that lies outside the picture."""
        key = view.hashes[item].as_py(), factor, column, row
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        picture = self._originals.whole(view, item)
        side = TILE * factor
        if factor not in FACTORS or column * side >= picture.width or row * side >= picture.height:
            raise NotFoundError("no such tile of this picture")
        data = _cut(picture, (column * side, row * side), side, factor)
        with self._lock:
            self._kept[key] = data
            self._bytes += len(data)
            while self._bytes > MEMORY_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return data


def _cut(picture: Image.Image, corner: tuple[int, int], side: int, factor: int) -> bytes:
    left, top = corner
    right, bottom = min(left + side, picture.width), min(top + side, picture.height)
    part = picture.crop((left, top, right, bottom))
    if factor > 1:
        size = (-(-part.width // factor), -(-part.height // factor))
        part = part.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    part.save(buffer, "WEBP", quality=WEBP_QUALITY, method=3)
    return buffer.getvalue()
