"""An artwork and its neighbours in the form that pages use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.indexes.exact import cosine
from simsearch.snapshots.plan import Plan

IIIF_IMAGE = re.compile(
    r"^(?P<host>https://[^/?#\s;,'\"]+)(?P<path>/[^?#\s]+)/(?P<region>full|square|[\d.,:pct]+)/[^/]+/"
    r"(?P<rotation>!?[\d.]+)/(?P<quality>default|color|gray|bitonal|native)\.(jpg|png|webp)$"
)

SHORT = 300  # characters of a text in a list; a browser takes seconds to lay out a word of 10,000
LONG = 3000  # characters of a text on the artwork's own page
# Marks that turn or embed the writing of all following text, such as a date beside a title.
TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))

SAID = 60  # characters of an address' text that a message repeats

ImageNumbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class ViewArtwork:
    """An artwork with an image: its catalog row, and its numbers in the view."""

    number: int
    item: int
    content_hash: str
    row: dict[str, Any]

    @property
    def artwork_id(self) -> str:
        return str(self.row["artwork_id"])

    @property
    def title(self) -> str:
        """The title as pages show it, possibly shortened (see `whole_title`)."""
        return shorten(self.whole_title)

    @property
    def whole_title(self) -> str:
        return self.row["title"] or "Untitled"

    @property
    def artists(self) -> str:
        return shorten(self.all_artists)

    @property
    def all_artists(self) -> str:
        return ", ".join(self.row["artists"] or ())

    @property
    def date(self) -> str:
        return shorten(self.row["date"] or "")


@dataclass(frozen=True)
class Neighbour:
    """An image found at `rank` (from 1). `distance` is angular, in [0, 2], `score` its cosine."""

    rank: int
    item: int
    distance: float

    @property
    def score(self) -> float:
        return cosine(self.distance)


@dataclass(frozen=True)
class StoredNeighbours:
    """The stored neighbours of every artwork's original: `items` int32 [artworks, k], nearest first
    (−1: none), and their angular `distances` float32 [artworks, k]."""

    items: ImageNumbers
    distances: npt.NDArray[np.float32]

    def of(self, artwork: ViewArtwork) -> list[Neighbour]:
        nearest = zip(self.items[artwork.number], self.distances[artwork.number], strict=True)
        return [
            Neighbour(rank, int(item), float(distance))
            for rank, (item, distance) in enumerate(nearest, start=1)
            if item >= 0
        ]


def shorten(text: str, most: int = SHORT) -> str:
    """The text, cut to `most` characters with an ellipsis, without marks that turn the writing of
    neighbouring text."""
    text = text.translate(TURNING)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def iiif_address(image_uri: str | None, width: int) -> str | None:
    """The address of the same picture at another width. None if its address is not of the IIIF Image API."""
    match = IIIF_IMAGE.match(image_uri or "")
    if match is None:
        return None
    part = f"{match['host']}{match['path']}/{match['region']}"
    return f"{part}/{width},/{match['rotation']}/{match['quality']}.jpg"


def collection_name(plan: Plan) -> str:
    """A name for a snapshot's artworks: the folder that the catalog's source is or lies in."""
    source = plan.settings.catalog.source
    if not source:
        return "generated collection"
    scheme, _, path = str(source).rpartition("://")
    parts = path.rstrip("/").split("/")
    if scheme == "s3":
        parts = parts[1:] or [""]  # a bucket's name is the operator's business
    name = parts[-2] if "." in parts[-1] and len(parts) > 1 else parts[-1]
    return name.rpartition("@")[2] or "collection"
