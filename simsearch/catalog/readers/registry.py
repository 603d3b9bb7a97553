"""Every reader by its name, and the check that settings fit the reader they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simsearch.catalog.layout import museum_names
from simsearch.catalog.notes import Notes
from simsearch.catalog.readers.folder import read_folder
from simsearch.catalog.readers.generated import read_generated
from simsearch.catalog.readers.iiif import read_iiif
from simsearch.catalog.readers.museum import read_museum
from simsearch.catalog.readers.openclipart import read_openclipart
from simsearch.catalog.readers.table import read_table
from simsearch.errors import ConfigError, UnknownNameError
from simsearch.settings.config import Config
from simsearch.settings.sections.collection import CatalogConfig

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """A kind of collection. `source` says in words what `catalog.source` has to be; None: nothing."""

    read: Callable[[Config, Notes], Iterable[Row]]
    source: str | None
    columns: bool = False  # whether it takes catalog.columns


READERS: dict[str, Reader] = {
    "generated": Reader(read_generated, None),
    "folder": Reader(read_folder, "a folder or bucket prefix of images"),
    "table": Reader(
        read_table, "a CSV, JSON, Excel or Parquet file, or a folder of JSON or Parquet files", True
    ),
    "iiif": Reader(read_iiif, "a IIIF manifest or collection, on the web or in a store"),
    "openclipart": Reader(read_openclipart, "the png folder of openclipart-png"),
    **{name: Reader(read_museum, "the museum's published data") for name in museum_names()},
}


def get_reader(catalog: CatalogConfig) -> Reader:
    """The reader that the settings name. Raises UnknownNameError for an unknown name, ConfigError if other
    settings of `catalog` do not fit the reader."""
    name = catalog.reader
    if name not in READERS:
        raise UnknownNameError("reader", name, READERS)
    reader = READERS[name]
    if reader.source is None and catalog.source is not None:
        raise ConfigError(
            f"catalog.source: reader {name!r} has none; remove it or choose another catalog.reader"
        )
    if reader.source is not None and catalog.source is None:
        raise ConfigError(f"catalog.source: reader {name!r} needs the URI of {reader.source}")
    if catalog.columns and not reader.columns:
        takers = [other for other, other_reader in READERS.items() if other_reader.columns]
        raise ConfigError(
            f"catalog.columns: reader {name!r} takes none; remove it or set catalog.reader={takers[0]}"
        )
    return reader
