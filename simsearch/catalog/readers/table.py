"""A table of any kind as a collection, with its columns mapped to the catalog's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simsearch import schemas
from simsearch.catalog.image_names import shorten
from simsearch.catalog.layout import REQUIRED, Layout, apply, as_paths
from simsearch.catalog.notes import Notes
from simsearch.catalog.parquet import ROW
from simsearch.catalog.paths import text, top_level
from simsearch.catalog.places import Places, locate_images
from simsearch.catalog.proposal import propose, write_mapping
from simsearch.catalog.records import Records, load_records
from simsearch.errors import CatalogError
from simsearch.settings.config import Config
from simsearch.storage.uris import normalise_uri

SHOWN = 50  # columns that a message names


def read_table(config: Config, notes: Notes) -> Iterator[dict[str, Any]]:
    """One artwork per row that has an image. Relative image names start from `catalog.images`, a
    folder or a web address, else from the table's folder.

    Several artists stand on several lines of a cell, or in a list. Raises CatalogError for a file that
    cannot be read or lacks a column.
    """
    source = normalise_uri(config.catalog.source or "")
    records = load_records(source, config.catalog, config.storage, notes)
    layout = _layout(records, _columns(records, as_paths(config.catalog.columns), notes))
    base = config.catalog.images or records.folder
    places = Places(base, config.storage, source, files_inside=frozenset(records.files))
    yield from locate_images(apply(layout, records, notes), places, notes)
    places.report(notes)


def _columns(
    records: Records, mapping: dict[str, tuple[str, ...]], notes: Notes
) -> dict[str, tuple[str, ...]]:
    """The mapping. For a table with pictures inside, a missing image or id column is added."""
    if not records.pictures:
        return mapping
    within = {f"{name}.bytes": name for name in records.pictures}
    mapping = {
        column: tuple(within.get(path, path) for path in paths) for column, paths in mapping.items()
    }
    images = mapping.get("image_uri", ())
    if not images and "image_uri" not in records.columns:
        if len(records.pictures) > 1:
            raise CatalogError(
                f"{records.source}: which column of pictures is the image_uri? it has: {', '.join(records.pictures)}; set catalog.columns.image_uri"
            )
        images = mapping["image_uri"] = records.pictures
    if "artwork_id" not in mapping and "artwork_id" not in records.columns:
        proposed = propose(records).get("artwork_id")
        candidates = [proposed, *(f"{name}.path" for name in images), ROW]
        chosen = next(name for name in candidates if name and _is_unique(records, name))
        mapping["artwork_id"] = (chosen,)
        notes.say(
            f"{records.source}: the ids are those of column {chosen!r}; catalog.columns.artwork_id takes others"
        )
    return mapping


def _is_unique(records: Records, column: str) -> bool:
    """Whether no two rows have the same value in a column."""
    if column not in records.columns:
        return False
    values = [text(row[column]) for row in records.rows([column])]
    return None not in values and len(set(values)) == len(values)


def _layout(records: Records, mapping: dict[str, tuple[str, ...]]) -> Layout:
    if strange := sorted(set(mapping) - set(schemas.CATALOG.names)):
        raise CatalogError(
            f"catalog.columns: no catalog column {', '.join(strange)}; allowed: {', '.join(schemas.CATALOG.names)}"
        )
    wanted = {
        name
        for paths in mapping.values()
        for path in paths
        for name in top_level(path, records.columns)
    }
    if absent := sorted(wanted - set(records.columns)):
        raise CatalogError(
            f"catalog.columns: {records.source} has no column {', '.join(absent)}; it has: {_names(records)}"
        )
    same = {name: (name,) for name in schemas.CATALOG.names if name in records.columns}
    columns = {**same, **mapping}
    if missing := [name for name in REQUIRED if name not in columns]:
        raise which_column(records, missing)
    return Layout("table", records.source, columns)


def which_column(records: Records, missing: Sequence[str]) -> CatalogError:
    """The error of a table in which the columns `missing` of the catalog are not found."""
    return CatalogError(
        f"{records.source}: which column is the {' and the '.join(missing)}? it has: {_names(records)}; {_advice(records)}"
    )


def _names(records: Records) -> str:
    names = ", ".join(map(shorten, records.columns[:SHOWN]))
    more = len(records.columns) - SHOWN
    return f"{names} and {more:,} more" if more > 0 else names


def _advice(records: Records) -> str:
    proposal = propose(records)
    if not proposal:
        return "set catalog.columns"
    unsure = [name for name in REQUIRED if name not in proposal]
    also = f" and add the {' and the '.join(unsure)}" if unsure else ""
    return f"from their names, try catalog.columns='{write_mapping(proposal)}'{also}"
