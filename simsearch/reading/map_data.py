"""The data of the map in compact binary form: the places of artworks, their facets and years.

Numbers are little-endian, and artworks are always in the catalog's order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.facets import NO_YEAR, Facet, facets_of, years_of
from simsearch.reading.regions import MapRegion, inner_regions, inner_square
from simsearch.reading.view import SnapshotView

STEPS = 65_535  # places along the longer side of a map
CARDS_AT_ONCE = 200  # artworks described in one answer
ALIGN = 4  # bytes: a browser reads whole numbers only at multiples of their size
DENSE = (
    0.6  # of a map's longer side, below which a square around the inner artworks is a dense ball
)

NAMING = ("period", "artist", "classification", "department", "medium", "subject")


class MapData:
    """A snapshot's map. Each part is made at the first request and kept."""

    def __init__(self, view: SnapshotView) -> None:
        self._view = view
        self._regions: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    @cached_property
    def facets(self) -> list[Facet]:
        return facets_of(self._view)

    @cached_property
    def facet_file(self) -> bytes:
        return facet_bytes(self.facets, years_of(self._view))

    def point_file(self, space: str, method: str) -> bytes:
        return point_bytes(unit_points(self._view, space, method))

    def region_file(self, space: str, method: str) -> bytes:
        points = unit_points(self._view, space, method)
        with self._lock:
            if (space, method) not in self._regions:
                rows = region_rows(points, self.facets)
                self._regions[space, method] = json.dumps(rows, separators=(",", ":")).encode()
            return self._regions[space, method]


def unit_points(view: SnapshotView, space: str, method: str) -> npt.NDArray[np.float64]:
    """The place of each artwork on the map [artworks, 2]. The map's longer side goes from 0 to 1, and the
    other is centred. Raises NotFoundError if that map was not made."""
    points = view.coordinates(space, method).astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max()) or 1.0
    return np.asarray((points - (low + high) / 2) / span + 0.5)


def point_bytes(points: npt.NDArray[np.floating]) -> bytes:
    """x and y of every artwork as uint16, 0 to STEPS."""
    return bytes(np.rint(np.clip(points, 0, 1) * STEPS).astype("<u2").tobytes())


def facet_bytes(facets: Sequence[Facet], years: Sequence[int | None]) -> bytes:
    """All facets: the length of a JSON head (uint32), the head, then the arrays that it points to.

    Codes count from 1, and 0 means not known. Years are int32, NO_YEAR if there is none.
    """
    parts: list[bytes] = []
    at = 0

    def put(values: npt.NDArray[Any]) -> int:
        nonlocal at
        start = at
        data = values.tobytes()
        data += bytes(-len(data) % ALIGN)
        parts.append(data)
        at += len(data)
        return start

    filled_years = [NO_YEAR if year is None else year for year in years]
    head: dict[str, Any] = {
        "artworks": len(filled_years),
        "noYear": NO_YEAR,
        "years": put(np.array(filled_years, dtype="<i4")),
        "facets": [],
    }
    for facet in facets:
        wide = len(facet.labels) > 254
        head["facets"].append(
            {
                "key": facet.key,
                "title": facet.title,
                "ordered": facet.ordered,
                "labels": facet.labels,
                "wide": wide,
                "codes": put((facet.codes + 1).astype("<u2" if wide else "u1")),
                "also": len(facet.also_codes),
                "alsoNumbers": put(facet.also_numbers.astype("<u4")),
                "alsoCodes": put((facet.also_codes + 1).astype("<u2")),
            }
        )
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 4) % ALIGN)
    return len(text).to_bytes(4, "little") + text + b"".join(parts)


def region_rows(points: npt.NDArray[np.floating], facets: Sequence[Facet]) -> dict[str, Any]:
    """The map's regions as rows of numbers: level, x and y in STEPS, the number of artworks, the central
    one, and a facet's place and code for each name. Also the view with which the map opens."""
    naming = {facet.key: place for place, facet in enumerate(facets)}
    chosen = [facet for facet in facets if facet.key in NAMING]
    places = [naming[facet.key] for facet in chosen]

    def row(region: MapRegion) -> list[int]:
        names = [value for name in region.names for value in (places[name.facet], name.code + 1)]
        x, y = round(region.x * STEPS), round(region.y * STEPS)
        return [region.level, x, y, region.count, region.central, *names]

    rows = [row(region) for region in inner_regions(points, chosen)]
    return {"home": home(points), "regions": rows}


def home(points: npt.NDArray[np.floating]) -> tuple[float, float, float]:
    """The view with which a map of `points` [artworks, 2] in [0, 1] opens: the middle x and y, and the
    magnification. It shows the whole map or, if that is a dense ball in a wide halo, the ball."""
    low, side = inner_square(points)
    if side > DENSE:
        return 0.5, 0.5, 1.0
    x, y = low + side / 2
    return round(float(x), 4), round(float(y), 4), float(f"{1 / side:.3g}")


def by_line(artwork: ViewArtwork) -> str:
    """The line of artists and date that the wall shows below a title."""
    return ", ".join(part for part in (artwork.artists, artwork.date) if part)


def card(view: SnapshotView, number: int) -> dict[str, Any]:
    """The card of one artwork on the wall. `item` is the number of its picture."""
    artwork = view.artwork_at(number)
    return {
        "number": number,
        "id": artwork.artwork_id,
        "title": artwork.title,
        "artists": artwork.artists,
        "by": by_line(artwork),
        "item": artwork.item,
    }
