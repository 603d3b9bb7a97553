"""Feature maps of artworks. The latest are kept, as people look at a pair in one network after another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.matches import FeatureMap
from simsearch.reading.originals import Originals
from simsearch.reading.picture_query import PictureQuery
from simsearch.reading.view import SnapshotView

MAPS_KEPT = 64  # of 7 × 7 × 2048 float32, 0.4 MB each

Window = tuple[float, float, float, float]


@dataclass(frozen=True)
class SeenPicture:
    """The feature `map` [h, w, C] that a network made of a picture. The map covers the `window` of the
    picture (left, top, right, bottom as shares of its sides). `size` is the picture's, in pixels."""

    map: FeatureMap
    window: Window
    size: tuple[int, int]


class FeatureMaps:
    """Makes feature maps of artworks. A network is loaded when it is first needed."""

    def __init__(self, query: PictureQuery, originals: Originals) -> None:
        self._query, self._originals = query, originals
        self._kept: OrderedDict[tuple[str, str], SeenPicture | None] = OrderedDict()
        self._lock = threading.Lock()

    def seen(self, view: SnapshotView, space: str, artwork: ViewArtwork) -> SeenPicture | None:
        """The feature map of an artwork. None if the space's network has no layer with positions.

        Raises NotFoundError if the picture is gone, MismatchError if the weights at hand are not the
        snapshot's.
        """
        key = view.space(space).fingerprint, artwork.content_hash
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        picture = self._originals.as_embedded(view, artwork.item)
        seen_map = self._query.feature_map(view, space, picture)
        seen = None if seen_map is None else SeenPicture(*seen_map, picture.size)
        with self._lock:
            self._kept[key] = seen
            while len(self._kept) > MAPS_KEPT:
                self._kept.popitem(last=False)
        return seen
