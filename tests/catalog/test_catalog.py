"""A catalog is sampled by a seed and stored under its digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch import schemas
from simsearch.catalog.catalog import as_table
from simsearch.catalog.stored import Catalog, load_catalog, write_catalog
from simsearch.errors import CatalogError, NotFoundError
from simsearch.storage.storage import Storage
from tests.support.catalogs import read
from tests.support.places import Place


@pytest.mark.slow
def test_a_sample_is_seeded_and_too_large_a_one_is_refused(tmp_path: Path) -> None:
    first, again, other = (
        read(tmp_path, "catalog.size=30", "catalog.sample=10", f"seed={seed}") for seed in (1, 1, 2)
    )
    assert first.num_rows == 10
    assert first["artwork_id"].equals(again["artwork_id"])
    assert not first["artwork_id"].equals(other["artwork_id"])
    with pytest.raises(CatalogError, match=r"catalog\.sample: 31 asked for, the collection has 30"):
        read(tmp_path, "catalog.size=30", "catalog.sample=31")


def test_a_catalog_is_stored_under_its_digest(place: Place) -> None:
    storage = Storage(place.root, place.config)
    with pytest.raises(NotFoundError, match="run `simsearch ingest` first"):
        load_catalog(storage)
    table = schemas.CATALOG.empty_table()
    first = write_catalog(storage, table)
    assert write_catalog(storage, table) == first
    assert load_catalog(storage) == Catalog(first, table)


def test_a_catalog_that_lost_an_artwork_stays_so_when_the_artwork_comes_back(place: Place) -> None:
    storage = Storage(place.root, place.config)
    rows = [{"artwork_id": name, "image_uri": f"http://x.test/{name}.jpg"} for name in "ab"]
    table = as_table(rows)
    first = write_catalog(storage, table)
    path = f"catalog/{first}.parquet"
    storage.write_table(path, storage.read_table(path).slice(1))  # as a takedown does
    again = write_catalog(storage, table)
    assert write_catalog(storage, table) == again != first
    assert load_catalog(storage) == Catalog(again, table)
    assert load_catalog(storage, first).table["artwork_id"].to_pylist() == ["b"]
    storage.write_bytes(path, b"PAR1")
    assert write_catalog(storage, table) == first
    assert load_catalog(storage) == Catalog(first, table)
