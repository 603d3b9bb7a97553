"""The Open Clip Art Library as Debian ships it: `png/` with the drawings, `svg/` beside it with
titles, creators and subjects in each file's RDF; the folder is the category."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree

from simsearch.catalog.notes import Notes
from simsearch.catalog.paths import text
from simsearch.catalog.readers.folder import title_of
from simsearch.errors import CatalogError, NotFoundError, StorageError
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import FileInfo, list_uri, read_uri
from simsearch.storage.uris import normalise_uri

MAX_SVG_BYTES = 16 * 2**20  # the largest shipped has 10 MiB
READERS = 8

_DC = "{http://purl.org/dc/elements/1.1/}"
_LIST_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


def read_openclipart(config: Config, notes: Notes) -> Iterator[dict[str, Any]]:
    """One artwork per PNG below `catalog.source`. A drawing whose SVG is missing or unreadable keeps its
    file name as title; a note counts these. Raises CatalogError if there are no PNGs."""
    source = normalise_uri(config.catalog.source or "")
    try:
        files = [
            info for info in list_uri(source, config.storage) if info.path.lower().endswith(".png")
        ]
    except NotFoundError:
        files = []
    if not files:
        raise CatalogError(
            f"catalog.source: {source} has no PNG files; install openclipart-png and openclipart-svg and give their png folder"
        )
    vectors = f"{source.rpartition('/')[0]}/svg"

    def describe(info: FileInfo) -> dict[str, Any] | None:
        return _description(
            f"{vectors}/{PurePosixPath(info.path).with_suffix('.svg')}", config.storage
        )

    undescribed = 0
    with ThreadPoolExecutor(READERS) as pool:
        for info, described in zip(files, pool.map(describe, files), strict=True):
            undescribed += described is None
            yield _artwork(info, described or {})
    if undescribed:
        notes.say(
            f"{source}: {undescribed} of {len(files)} drawings have no readable SVG; titled by file name"
        )


def _artwork(info: FileInfo, described: dict[str, Any]) -> dict[str, Any]:
    path = PurePosixPath(info.path)
    return {
        "artwork_id": str(path.with_suffix("")),
        "title": described.get("title") or title_of(info.path),
        "artists": described.get("artists") or [],
        "date": described.get("date"),
        "classification": str(path.parent) if path.parent.name else None,
        "subjects": described.get("subjects") or [],
        "credit": "Open Clip Art Library, public domain",
        "image_uri": info.uri,
        "etag": info.etag,
    }


def _description(uri: str, storage: StorageConfig) -> dict[str, Any] | None:
    try:
        data = read_uri(uri, storage, MAX_SVG_BYTES)
        if len(data) > MAX_SVG_BYTES:
            return None
        root = defusedxml.ElementTree.fromstring(data)
    except (StorageError, ParseError, defusedxml.DefusedXmlException, ValueError):
        return None
    work = next(
        (
            element
            for element in root.iter()
            if element.find(f"{_DC}title") is not None and element.tag.endswith("}Work")
        ),
        None,
    )
    if work is None:
        return None
    return {
        "title": text(work.findtext(f"{_DC}title")),
        "artists": _names(work.find(f"{_DC}creator")),
        "date": text(work.findtext(f"{_DC}date")),
        "subjects": _names(work.find(f"{_DC}subject"), _LIST_ITEM),
    }


def _names(parent: Element | None, tag: str = f"{_DC}title") -> list[str]:
    if parent is None:
        return []
    return [name for element in parent.iter(tag) if (name := text(element.text))]
