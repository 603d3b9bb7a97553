"""Pictures for the pages. Thumbnails come from storage, or are made at the first request and stored.
Perturbed copies are made at each request."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import replace

from PIL import Image

from simsearch.errors import NotFoundError, StorageError
from simsearch.images.limits import ImageError
from simsearch.images.thumbnails import SIZES, encode, is_whole, thumbnail_path
from simsearch.reading.content import read_picture
from simsearch.reading.view import SnapshotView

log = logging.getLogger(__name__)

MEMORY_BYTES = 64 * 2**20  # of thumbnails in memory; the least recently shown is dropped first
DECODES_AT_ONCE = 2  # a full-size original may take hundreds of megabytes while it is decoded


class Pictures:
    """Thumbnails of a root's images, by content (`thumbnail_path`)."""

    def __init__(self) -> None:
        self._memory: OrderedDict[tuple[str, str | None, int, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._decoding = threading.Semaphore(DECODES_AT_ONCE)
        self._writable = True

    def thumbnail(self, view: SnapshotView, item: int, size: int) -> bytes:
        """An image of the snapshot as WebP, its longer side at most `size` pixels (of SIZES).

        Raises NotFoundError if the size is not in SIZES, or if the original is gone or unreadable.
        """
        if size not in SIZES:
            raise NotFoundError(f"no thumbnails of that size; there are {SIZES}")
        content_hash, profile = view.hashes[item].as_py(), view.profile_of(item)
        made_with = "" if profile is None else str(view.plan.settings.remake())
        key = (content_hash, profile, size, made_with)
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
        data = self._stored_or_made(view, item, size, content_hash, profile)
        self._remember(key, data)
        return data

    def of_uri(self, view: SnapshotView, uri: str, size: int) -> bytes:
        """A picture that is in no index, such as a placeholder, as WebP. It is not stored.

        Raises NotFoundError as `thumbnail` does.
        """
        if size not in SIZES:
            raise NotFoundError(f"no thumbnails of that size; there are {SIZES}")
        with self._decoding:
            return encode(self._picture(view, uri, size, None), size)

    def _stored_or_made(
        self, view: SnapshotView, item: int, size: int, content_hash: str, profile: str | None
    ) -> bytes:
        path = thumbnail_path(content_hash, size)
        storage = view.snapshot.storage
        if profile is None:
            try:
                if is_whole(data := storage.read_bytes(path)):
                    return data
                log.warning("explore: %s: a damaged thumbnail, made anew", storage.uri(path))
            except NotFoundError:
                pass  # the first request makes it
        with self._decoding:
            uri = view.artwork_of(item).row["image_uri"]
            data = encode(self._picture(view, uri, size, content_hash, profile), size)
        if profile is None and self._writable:
            try:
                storage.write_bytes(path, data)
            except StorageError as error:
                self._writable = False
                log.warning("explore: thumbnails stay in memory only: %s", error)
        return data

    def _picture(
        self,
        view: SnapshotView,
        uri: str,
        size: int,
        content_hash: str | None,
        profile: str | None = None,
    ) -> Image.Image:
        """The picture of a file, decoded to at least the shown size, or the copy that networks get.
        `content_hash` is that of the snapshot's picture, None for a picture that is in no index."""
        remake = view.plan.settings.remake(view.config.images.limits)
        if profile is None:
            remake = replace(remake, limits=replace(remake.limits, side=size))  # decodes fast
        data = read_picture(uri, view.config.storage, remake.limits.max_bytes, content_hash)
        try:
            return remake.image(data, profile, content_hash or "")
        except ImageError as error:
            raise NotFoundError(f"the picture cannot be read: {error}") from error

    def _remember(self, key: tuple[str, str | None, int, str], data: bytes) -> None:
        with self._lock:
            if key in self._memory:
                return
            self._memory[key] = data
            self._bytes += len(data)
            while self._bytes > MEMORY_BYTES:
                _, dropped = self._memory.popitem(last=False)
                self._bytes -= len(dropped)
