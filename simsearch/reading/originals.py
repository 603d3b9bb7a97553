"""Originals in memory, as someone who looks closer at a picture needs it several times in a row."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from PIL import Image

from simsearch.errors import NotFoundError
from simsearch.images.limits import ImageError
from simsearch.reading.content import read_picture
from simsearch.reading.view import SnapshotView

LARGEST_SIDE = 8192  # pixels: larger scans are shown at this size, 200 MB of memory at most
MEMORY_BYTES = 256 * 2**20  # of decoded pictures; the least recently used is dropped first

Key = tuple[str, int | None]


class Originals:
    """Decoded pictures of artworks. The latest are kept, and one is decoded at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Image.Image] = OrderedDict()
        self._lock = threading.Lock()

    def whole(self, view: SnapshotView, item: int) -> Image.Image:
        """An original at its own size, or scaled down to LARGEST_SIDE, RGB and upright.

        Raises NotFoundError if it is gone or cannot be read.
        """
        return self._picture(view, item, LARGEST_SIDE)

    def as_embedded(self, view: SnapshotView, item: int) -> Image.Image:
        """An original as networks got it, before their own preprocessing."""
        return self._picture(view, item, view.plan.settings.perturbations.side)

    def _picture(self, view: SnapshotView, item: int, side: int | None) -> Image.Image:
        key = view.hashes[item].as_py(), side
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            picture = self._read(view, item, side)
            self._kept[key] = picture
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > MEMORY_BYTES:
                self._kept.popitem(last=False)
            return picture

    def _read(self, view: SnapshotView, item: int, side: int | None) -> Image.Image:
        uri = view.artwork_of(item).row["image_uri"]
        remake = view.plan.settings.remake(view.config.images.limits)
        remake = replace(remake, limits=replace(remake.limits, side=side))
        data = read_picture(
            uri, view.config.storage, remake.limits.max_bytes, view.hashes[item].as_py()
        )
        try:
            return remake.original(data)
        except ImageError as error:
            raise NotFoundError(f"the picture cannot be read: {error}") from error


def _size(picture: Image.Image) -> int:
    return picture.width * picture.height * 3
