"""Read a picture's file only if it still is the one that a snapshot embedded, and make the image again
that networks got."""

from __future__ import annotations

import logging

from PIL import Image

from simsearch.errors import NotFoundError, StorageError
from simsearch.images.identity import content_hash
from simsearch.images.limits import ImageError
from simsearch.reading.view import SnapshotView
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import read_uri

log = logging.getLogger(__name__)


def read_picture(uri: str, config: StorageConfig, max_bytes: int, expected: str | None) -> bytes:
    """The bytes of a picture whose content hash is `expected` (None: any).

    Raises NotFoundError, which does not name the file's place, if the file is gone or another picture lies
    there now.
    """
    try:
        data = read_uri(uri, config, max_bytes)
    except StorageError as error:
        log.warning("explore: %s", error)
        raise NotFoundError("the picture cannot be read; the explorer's log says why") from error
    if expected is not None and content_hash(data) != expected:
        log.warning("explore: %s: another picture than the snapshot's lies there now", uri)
        raise NotFoundError("the picture has changed since this snapshot was made")
    return data


def remake_image(view: SnapshotView, item: int) -> Image.Image | None:
    """An image of the snapshot, an original or a copy, as networks got it. None if its file is gone, cannot
    be read, or holds another picture now."""
    config = view.config
    remake = view.plan.settings.remake(config.images.limits)
    uri, expected = view.artwork_of(item).row["image_uri"], view.hashes[item].as_py()
    try:
        data = read_uri(uri, config.storage, remake.limits.max_bytes)
        if content_hash(data) != expected:
            return None
        return remake.image(data, view.profile_of(item), expected)
    except (StorageError, ImageError):
        return None
