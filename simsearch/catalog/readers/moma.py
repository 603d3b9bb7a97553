"""MoMA's published collection, `Artworks.json` or `Artworks.csv` (github.com/MuseumofModernArt/collection)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from simsearch.catalog.readers.table import etags_below, load_table, text
from simsearch.config import Config
from simsearch.errors import CatalogError
from simsearch.storage.storage import read_uri
from simsearch.storage.uris import join_uri, normalise_uri

log = logging.getLogger(__name__)

REQUIRED = ("ObjectID", "Title", "Artist")
IMAGE_FIELDS = ("ImageURL", "ThumbnailURL")  # now, and in the files of 2018


def read_moma(config: Config) -> Iterator[dict[str, Any]]:
    """Every record that has an image; the others, about a third, are counted in the log.

    Images are MoMA's web addresses, or files named <ObjectID>.<anything> below `catalog.images`.
    Raises CatalogError for a file that is not MoMA's.
    """
    source = normalise_uri(config.catalog.source or "")
    records = (
        _read_json(source, config)
        if source.lower().endswith(".json")
        else load_table(source, config).to_pylist()
    )
    if not records or (missing := [name for name in REQUIRED if name not in records[0]]):
        absent = ", ".join(missing) if records else "any record"
        raise CatalogError(
            f"{source}: not MoMA's Artworks file, it has no {absent}; get Artworks.csv or Artworks.json"
        )
    stored = _stored_images(config)
    without = 0
    for record in records:
        artwork_id = text(record["ObjectID"])
        url = next((found for name in IMAGE_FIELDS if (found := text(record.get(name)))), None)
        uri, etag = stored.get(artwork_id or "", (url, None))
        if artwork_id is None or uri is None:
            without += 1
            continue
        yield _artwork(artwork_id, record, uri, etag)
    log.info(
        "%s: %s of %s records have no image and are left out",
        source,
        f"{without:,}",
        f"{len(records):,}",
    )


def _artwork(artwork_id: str, record: dict[str, Any], uri: str, etag: str | None) -> dict[str, Any]:
    return {
        "artwork_id": artwork_id,
        "title": text(record["Title"]),
        "artists": artists(record.get("Artist"), record.get("ConstituentID")),
        "date": text(record.get("Date")),
        "medium": text(record.get("Medium")),
        "dimensions": text(record.get("Dimensions")),
        "department": text(record.get("Department")),
        "classification": text(record.get("Classification")),
        "credit": text(record.get("CreditLine")),
        "url": text(record.get("URL")),
        "image_uri": uri,
        "etag": etag,
    }


def artists(names: Any, constituents: Any) -> list[str]:
    """The artists of a record: a list in the JSON, joined by ", " in the CSV.

    A name may hold ", " itself ("Charles Pollock, Jr."), so the CSV's are split only into as many
    as there are ConstituentIDs; where the counts differ the text stays whole.
    """
    if isinstance(names, list):
        return [name for one in names if (name := text(one))]
    joined = text(names)
    if joined is None:
        return []
    count = len([one for one in str(constituents or "").split(",") if one.strip()])
    parts = joined.split(", ")
    return parts if len(parts) == count else [joined]


def _read_json(source: str, config: Config) -> list[dict[str, Any]]:
    try:
        records = json.loads(read_uri(source, config.storage).decode("utf-8-sig"))
    except ValueError as error:
        raise CatalogError(f"{source}: not valid JSON ({error}); get the file again") from None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise CatalogError(
            f"{source}: not MoMA's Artworks file, which is a list of records; check catalog.source"
        )
    return records


def _stored_images(config: Config) -> dict[str, tuple[str, str | None]]:
    if config.catalog.images is None:
        return {}
    folder = normalise_uri(config.catalog.images)
    found = etags_below(folder, config)
    names = {uri: uri.removeprefix(join_uri(folder, "")).lstrip("/") for uri in found}
    return {names[uri].rpartition(".")[0]: (uri, etag) for uri, etag in found.items()}
