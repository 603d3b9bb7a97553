"""A plain folder or bucket prefix of images as a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from simsearch.config import Config
from simsearch.errors import CatalogError, NotFoundError
from simsearch.storage.storage import list_uri

EXTENSIONS = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".bmp",
        ".ppm",
        ".pgm",
        ".mpo",
    }
)


def read_folder(config: Config) -> Iterator[dict[str, Any]]:
    """One artwork per image file, at any depth; its id is the path without extension, its title the
    file's name in words. Raises CatalogError for a folder that is missing or has no images."""
    source = config.catalog.source
    assert source is not None
    try:
        files = list_uri(source, config.storage)
    except NotFoundError:
        raise CatalogError(
            f"catalog.source: {source} does not exist; give a folder or bucket prefix of images"
        ) from None
    images = [info for info in files if PurePosixPath(info.path).suffix.lower() in EXTENSIONS]
    if not images:
        raise CatalogError(
            f"catalog.source: {source} has no image files (looked for {', '.join(sorted(EXTENSIONS))}); check the path"
        )
    stems = Counter(str(PurePosixPath(info.path).with_suffix("")) for info in images)
    for info in images:
        stem = str(PurePosixPath(info.path).with_suffix(""))
        yield {
            "artwork_id": stem if stems[stem] == 1 else info.path,
            "title": title_of(info.path),
            "image_uri": info.uri,
            "etag": info.etag,
        }


def title_of(path: str) -> str:
    """`scans/view_of-delft.jpg` → `view of delft`"""
    return " ".join(PurePosixPath(path).stem.replace("_", " ").replace("-", " ").split())
