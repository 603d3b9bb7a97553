"""Catalogs as a root keeps them: a Parquet file each, named by the digest of its rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from simsearch.errors import NotFoundError
from simsearch.storage.inside import relative_to, resolved
from simsearch.storage.parquet import encoded
from simsearch.storage.storage import Storage

NEWEST = "CATALOG"  # in it the id of the newest catalog; beside no Parquet file


@dataclass(frozen=True)
class Catalog:
    """A stored catalog: its id, and its `table` of schemas.CATALOG."""

    catalog_id: str
    table: pa.Table


def write_catalog(storage: Storage, table: pa.Table) -> str:
    """Store a catalog under the digest of its rows, then note it as the newest; returns its id."""
    data = encoded(relative_to(storage.root, table))
    catalog_id = hashlib.sha256(data).hexdigest()[:16]
    storage.write_bytes(f"catalog/{catalog_id}.parquet", data)
    storage.write_bytes(NEWEST, catalog_id.encode())
    return catalog_id


def load_catalog(storage: Storage, catalog_id: str | None = None) -> Catalog:
    """The catalog of an id (None: the newest). Raises NotFoundError if there is none."""
    try:
        catalog_id = catalog_id or storage.read_bytes(NEWEST).decode().strip()
    except NotFoundError:
        raise NotFoundError(
            f"{storage.root}: no catalog here yet; run `simsearch ingest` first"
        ) from None
    table = storage.read_table(f"catalog/{catalog_id}.parquet")
    return Catalog(catalog_id, resolved(storage.root, table))
