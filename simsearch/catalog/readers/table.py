"""A CSV or Parquet table as a collection, its columns mapped to ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from simsearch import schemas
from simsearch.config import Config
from simsearch.errors import CatalogError, NotFoundError
from simsearch.storage.storage import list_uri, read_uri
from simsearch.storage.uris import join_uri, normalise_uri

REQUIRED = ("artwork_id", "image_uri")


def read_table(config: Config) -> Iterator[dict[str, Any]]:
    """One artwork per row. Relative image names start from `catalog.images` or the table's folder.

    Several artists stand on several lines of a cell, or in a list column. Raises CatalogError for
    a file that cannot be read or lacks a column.
    """
    source = normalise_uri(config.catalog.source or "")
    table = load_table(source, config)
    columns = _columns(source, table, config.catalog.columns)
    folder = normalise_uri(config.catalog.images or source.rpartition("/")[0])
    etags = etags_below(folder, config)
    for number, row in enumerate(table.select(list(columns.values())).to_pylist()):
        values = {ours: row[theirs] for ours, theirs in columns.items()}
        artwork_id = text(values["artwork_id"])
        if artwork_id is None:
            raise CatalogError(
                f"{source}: row {number + 1} has no {columns['artwork_id']}; every artwork needs an id"
            )
        image = text(values["image_uri"])
        uri = None if image is None else image if "://" in image else join_uri(folder, image)
        yield {
            **{ours: text(value) for ours, value in values.items() if ours != "artists"},
            "artwork_id": artwork_id,
            "artists": _artists(values.get("artists")),
            "image_uri": uri,
            "etag": text(values.get("etag")) or etags.get(uri or ""),
        }


def etags_below(folder: str, config: Config) -> dict[str, str]:
    """URI → ETag of every file below a folder; none where the folder is absent."""
    try:
        return {info.uri: info.etag for info in list_uri(folder, config.storage)}
    except NotFoundError:
        return {}


def text(value: Any) -> str | None:
    """A cell as text without surrounding space; null for an empty one."""
    return (str(value).strip() or None) if value is not None else None


def load_table(source: str, config: Config) -> pa.Table:
    """A CSV, every cell as text, or a Parquet file. Raises CatalogError for another."""
    data = pa.BufferReader(read_uri(source, config.storage))
    try:
        if source.lower().endswith((".parquet", ".pq")):
            return pq.read_table(data)
        options = pyarrow.csv.ParseOptions(newlines_in_values=True)
        names = pyarrow.csv.open_csv(data, parse_options=options).schema.names
        data.seek(0)
        kinds = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
        )
        return pyarrow.csv.read_csv(data, parse_options=options, convert_options=kinds)
    except pa.ArrowInvalid as error:
        raise CatalogError(
            f"{source}: not a readable CSV or Parquet table ({error}); check the file"
        ) from None


def _columns(source: str, table: pa.Table, mapping: dict[str, str]) -> dict[str, str]:
    known = ", ".join(table.column_names)
    if strange := sorted(set(mapping) - set(schemas.CATALOG.names)):
        raise CatalogError(
            f"catalog.columns: no catalog column {', '.join(strange)}; allowed: {', '.join(schemas.CATALOG.names)}"
        )
    if absent := sorted(set(mapping.values()) - set(table.column_names)):
        raise CatalogError(
            f"catalog.columns: {source} has no column {', '.join(absent)}; it has: {known}"
        )
    columns = {name: name for name in schemas.CATALOG.names if name in table.column_names} | mapping
    if missing := [name for name in REQUIRED if name not in columns]:
        raise CatalogError(
            f"{source}: which column is the {' and the '.join(missing)}? set catalog.columns.{missing[0]}; it has: {known}"
        )
    return columns


def _artists(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").splitlines()
    return [name for part in parts if (name := text(part))]
