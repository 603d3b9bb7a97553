"""Tables as museums write them, on any store."""

from __future__ import annotations

import pyarrow as pa

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.places import Place


def put(place: Place, **files: bytes) -> Storage:
    """A storage with `folder/` that holds these files; "__" in a name stands for "."."""
    storage = Storage(place.root, place.config).at("folder")
    for name, data in files.items():
        storage.write_bytes(name.replace("__", "."), data)
    return storage


def read(place: Place, source: str, *overrides: str, notes: Notes | None = None) -> pa.Table:
    endpoint = place.config.endpoint_url
    config = load_config(
        None,
        [
            f"root={Storage(place.root).uri('root')}",
            "catalog.reader=table",
            f"catalog.source={Storage(place.root).uri(f'folder/{source}')}",
            *([f"storage.endpoint_url={endpoint}"] if endpoint else []),
            *overrides,
        ],
    )
    return catalog.read_catalog(config, notes)
