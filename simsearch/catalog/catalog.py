"""The catalog: which artworks there are and where their images lie, from any of several readers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.download import download_images
from simsearch.catalog.embedded import store_embedded
from simsearch.catalog.forgotten import remove_forgotten
from simsearch.catalog.image_names import shorten
from simsearch.catalog.notes import Notes
from simsearch.catalog.readers.registry import get_reader
from simsearch.catalog.sampling import seeded_sample
from simsearch.catalog.stored import Catalog, write_catalog
from simsearch.catalog.web.hosts import sharing_hosts
from simsearch.errors import CatalogError
from simsearch.settings.config import Config
from simsearch.settings.secrets import hide_secrets, without_secrets
from simsearch.settings.sections.collection import CatalogConfig
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


def read_catalog(config: Config, notes: Notes | None = None) -> pa.Table:
    """schemas.CATALOG of the configured collection, sorted by artwork_id, sampled if so configured.

    Image addresses are whole, with the secrets that the collection gives: `download_images` needs them
    for its requests, and returns addresses without secrets. Omissions and guesses go into `notes`.
    Raises CatalogError for a collection that cannot be read, is empty, names an id twice, or is smaller
    than the sample.
    """
    notes = Notes() if notes is None else notes
    try:
        return _read(config, notes)
    except CatalogError as error:
        raise CatalogError(hide_secrets(str(error))) from None


def _read(config: Config, notes: Notes) -> pa.Table:
    rows: dict[str, Mapping[str, Any]] = {}
    for row in get_reader(config.catalog).read(config, notes):
        artwork_id = row["artwork_id"]
        if artwork_id in rows:
            raise CatalogError(_describe_repetition(config.catalog, rows[artwork_id], row))
        rows[artwork_id] = row
    if not rows:
        raise no_artworks(config.catalog, notes)
    wanted = config.catalog.sample
    if wanted is not None and wanted > len(rows):
        raise CatalogError(
            f"catalog.sample: {wanted} asked for, {config.catalog.source or 'the collection'} has {len(rows)}; ask for fewer"
        )
    return as_table([rows[artwork] for artwork in seeded_sample(rows, wanted, config.seed)])


def no_artworks(catalog: CatalogConfig, notes: Notes) -> CatalogError:
    """The error for a collection without artworks. `notes` has the omissions."""
    return CatalogError(
        f"{catalog.source}: no artworks here{_describe_omission(notes)}; check catalog.source and catalog.reader"
    )


def as_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A reader's rows as schemas.CATALOG. Links to pages lose their secrets, image addresses keep them."""
    columns = {field.name: [row.get(field.name) for row in rows] for field in schemas.CATALOG}
    columns["url"] = [url and without_secrets(url) for url in columns["url"]]
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in schemas.CATALOG},
        schema=schemas.CATALOG,
    )


def _describe_repetition(
    catalog: CatalogConfig, first: Mapping[str, Any], second: Mapping[str, Any]
) -> str:
    places = [row.get("where") or row.get("image_uri") for row in (first, second)]
    return (
        f"{catalog.source}: artwork id {shorten(first['artwork_id'])!r} occurs twice: {places[0]} and {places[1]}; "
        "make ids unique, or map another column to artwork_id"
    )


def _describe_omission(notes: Notes) -> str:
    counted = [f"{count:,} {reason}" for reason, (count, _) in notes.left_out.items()]
    return f" ({', '.join(counted)})" if counted else ""


def ingest(config: Config) -> Catalog:
    """Read the collection, download its images if the settings ask for that, store the catalog."""
    with sharing_hosts():  # a host that was given up for documents is not asked for images
        return _ingest(config)


def _ingest(config: Config) -> Catalog:
    notes = Notes()
    table = read_catalog(config, notes)
    for line in notes.summary():
        log.info("ingest: %s", line)
    storage = Storage(config.root, config.storage)
    table = store_embedded(remove_forgotten(storage, table), storage)
    table = download_images(
        table, storage, config.catalog.download, again=config.extract.retry_rejects
    )
    return Catalog(write_catalog(storage, table), table)
