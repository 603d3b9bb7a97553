"""A museum's published data by the museum's name; `simsearch/catalog/museums/` has their layouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simsearch.catalog.layout import Join, Layout, apply, museum_layout
from simsearch.catalog.notes import Notes
from simsearch.catalog.paths import text, top_level
from simsearch.catalog.places import Places, locate_images
from simsearch.catalog.records import TABLES, Records, load_records
from simsearch.errors import CatalogError
from simsearch.settings.config import Config
from simsearch.storage.uris import join_uri, normalise_uri


def read_museum(config: Config, notes: Notes) -> Iterator[dict[str, Any]]:
    """An artwork for every record with an image. Images are the museum's web addresses, or files below
    `catalog.images`: <artwork id>.<anything>, or the relative name in the record.

    Raises CatalogError for a file that is not the museum's.
    """
    layout = museum_layout(config.catalog.reader)
    source = _main_file(normalise_uri(config.catalog.source or ""), layout)
    records = load_records(source, config.catalog, config.storage, notes)
    _check(records, layout)
    if layout.join is not None:
        records = _join(records, layout.join, config, notes)
    base = config.catalog.images or layout.images or records.folder
    places = Places(base, config.storage, source, by_id=config.catalog.images is not None)
    any_image = False
    for row in locate_images(apply(layout, records, notes), places, notes):
        any_image = True
        yield row
    if not any_image:
        raise CatalogError(f"{source}: {layout.no_images}")
    places.report(notes)


def _main_file(source: str, layout: Layout) -> str:
    if layout.file is None or source.lower().endswith((*TABLES, ".json", ".parquet")):
        return source
    return join_uri(source, layout.file)


def _check(records: Records, layout: Layout) -> None:
    for column in ("artwork_id", "title"):
        paths = layout.columns[column]
        if not any(set(top_level(path, records.columns)) <= set(records.columns) for path in paths):
            # Tate's simplified tables have no titles.
            if column == "title" and layout.images is not None:
                continue
            raise CatalogError(
                f"{records.source}: not the data of {layout.name}, it has no {' or '.join(paths)}; "
                f"get it from {layout.schema}, or set catalog.reader=table"
            )


def _join(records: Records, join: Join, config: Config, notes: Notes) -> Records:
    beside = join_uri(records.source.rpartition("/")[0], join.file)
    other = load_records(beside, config.catalog, config.storage, notes)
    wanted = {join.key, *join.where, *([join.order] if join.order else [])}
    if absent := sorted(wanted - set(other.columns)):
        raise CatalogError(f"{beside}: has no column {', '.join(absent)}; get the file again")
    groups: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for row in other.rows(other.columns):
        if all(text(row.get(name)) == value for name, value in join.where.items()):
            groups[text(row.get(join.key))].append(row)
    if join.order is not None:
        for rows in groups.values():
            rows.sort(key=lambda row: _sort_key(text(row.get(join.order or ""))))

    def rows_of(columns: Collection[str]) -> Sequence[Mapping[str, Any]]:
        return [
            {**row, join.name: groups.get(text(row.get(join.equals)), [])}
            for row in records.rows({*columns, join.equals})
        ]

    return replace(records, columns=(*records.columns, join.name), rows=rows_of)


def _sort_key(value: str | None) -> tuple[float, str]:
    try:
        return float(value or ""), ""
    except ValueError:
        return float("inf"), value or ""
