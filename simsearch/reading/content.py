"""Read a picture's file only if it still is the one that a snapshot embedded."""

from __future__ import annotations

import logging

from simsearch.errors import NotFoundError, StorageError
from simsearch.images.identity import content_hash
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
