"""The catalog: which artworks there are and where their images lie, from any of several readers."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch import schemas
from simsearch.catalog.download import download_images
from simsearch.catalog.readers.folder import read_folder
from simsearch.catalog.readers.generated import read_generated
from simsearch.catalog.readers.moma import read_moma
from simsearch.catalog.readers.openclipart import read_openclipart
from simsearch.catalog.readers.table import read_table
from simsearch.catalog.sampling import seeded_sample
from simsearch.config import Config
from simsearch.errors import CatalogError, NotFoundError
from simsearch.storage.storage import Storage

Row = Mapping[str, Any]

READERS: dict[str, Callable[[Config], Iterable[Row]]] = {
    "generated": read_generated,
    "folder": read_folder,
    "table": read_table,
    "moma": read_moma,
    "openclipart": read_openclipart,
}


def read_catalog(config: Config) -> pa.Table:
    """schemas.CATALOG of the configured collection, sorted by artwork_id, sampled if so configured.

    Raises CatalogError for a collection that cannot be read, is empty, names an id twice, or is
    smaller than the sample.
    """
    rows = {}
    for row in READERS[config.catalog.reader](config):
        artwork_id = row["artwork_id"]
        if artwork_id in rows:
            raise CatalogError(
                f"{config.catalog.source}: artwork id {artwork_id!r} occurs twice; make ids unique"
            )
        rows[artwork_id] = row
    if not rows:
        raise CatalogError(
            f"{config.catalog.source}: no artworks here; check catalog.source and catalog.reader"
        )
    wanted = config.catalog.sample
    if wanted is not None and wanted > len(rows):
        raise CatalogError(
            f"catalog.sample: {wanted} asked for, {config.catalog.source or 'the collection'} has {len(rows)}; ask for fewer"
        )
    chosen = seeded_sample(rows, wanted, config.seed)
    return pa.table(
        {
            field.name: pa.array([rows[one].get(field.name) for one in chosen], field.type)
            for field in schemas.CATALOG
        },
        schema=schemas.CATALOG,
    )


def ingest(config: Config) -> tuple[str, pa.Table]:
    """Read the collection, download what is to be downloaded, store the catalog; its id and rows."""
    table = read_catalog(config)
    storage = Storage(config.root, config.storage)
    if config.catalog.download.enabled:
        table = download_images(table, storage, config.catalog.download)
    return write_catalog(storage, table), table


def write_catalog(storage: Storage, table: pa.Table) -> str:
    """Store a catalog under the digest of its rows, then point catalog/LATEST at it; returns its id."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    data = buffer.getvalue()
    catalog_id = hashlib.sha256(data).hexdigest()[:16]
    storage.write_bytes(f"catalog/{catalog_id}.parquet", data)
    storage.write_bytes("catalog/LATEST", catalog_id.encode())
    return catalog_id


def load_catalog(storage: Storage, catalog_id: str | None = None) -> tuple[str, pa.Table]:
    """A stored catalog (None: the newest) with its id. Raises NotFoundError if there is none."""
    try:
        catalog_id = catalog_id or storage.read_bytes("catalog/LATEST").decode().strip()
    except NotFoundError:
        raise NotFoundError(
            f"{storage.root}: no catalog here yet; run `simsearch ingest` first"
        ) from None
    return catalog_id, storage.read_table(f"catalog/{catalog_id}.parquet")
