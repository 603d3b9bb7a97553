"""How a museum's records become artworks: which of its fields is which catalog column."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from simsearch import schemas
from simsearch.catalog.notes import Notes
from simsearch.catalog.paths import Getter, first_of, getter, text, top_level
from simsearch.catalog.places import MORE_IMAGES
from simsearch.catalog.records import Records
from simsearch.errors import CatalogError, UnknownNameError

REQUIRED = ("artwork_id", "image_uri")
LISTS = ("artists", "subjects")


@dataclass(frozen=True)
class Split:
    """How a text that contains a list is split.

    `counted_by` is the path to another list of the record, which has the same length. If the counts
    differ the text stays whole, because a name in it may contain the separator."""

    separator: str
    counted_by: str | None = None


@dataclass(frozen=True)
class Join:
    """A second table. Each record gets, as a list under `name`, the rows whose `key` equals the record's
    `equals` and that match `where`, sorted by `order`."""

    name: str
    file: str
    key: str
    equals: str
    where: Mapping[str, str] = field(default_factory=dict)
    order: str | None = None


@dataclass(frozen=True)
class Layout:
    """A collection's fields. `columns` has the paths for each catalog column, of which the first that
    leads to a value counts. Relative image names start from `images`."""

    name: str
    schema: str
    columns: Mapping[str, tuple[str, ...]]
    split: Mapping[str, Split] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    join: Join | None = None
    images: str | None = None
    no_images: str = "no record names an image; check catalog.columns.image_uri"


@functools.cache
def museum_names() -> tuple[str, ...]:
    folder = resources.files("simsearch.catalog.museums")
    return tuple(
        sorted(
            path.name.removesuffix(".yaml")
            for path in folder.iterdir()
            if path.name.endswith(".yaml")
        )
    )


def museum_layout(name: str) -> Layout:
    """The layout of a museum's published data. Raises UnknownNameError."""
    if name not in museum_names():
        raise UnknownNameError("museum", name, museum_names())
    data = (resources.files("simsearch.catalog.museums") / f"{name}.yaml").read_text("utf-8")
    values: dict[str, Any] = yaml.safe_load(data)
    values["columns"] = as_paths(values["columns"])
    values["split"] = {
        column: Split(**split) if isinstance(split, dict) else Split(split)
        for column, split in values.get("split", {}).items()
    }
    values["join"] = Join(**values["join"]) if "join" in values else None
    return Layout(**values)


def as_paths(
    columns: Mapping[str, str | tuple[str, ...] | list[str]],
) -> dict[str, tuple[str, ...]]:
    return {
        column: (paths,) if isinstance(paths, str) else tuple(paths)
        for column, paths in columns.items()
    }


def apply(layout: Layout, records: Records, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record's place in words and its catalog columns. `image_uri` is still the name in the record. A
    record without an id is left out and counted. Raises CatalogError for a path whose column does not
    exist."""
    readers = _readers(layout, records)
    wanted = {
        name
        for paths in (*layout.columns.values(), _counting_paths(layout))
        for path in paths
        for name in top_level(path, records.columns)
    }
    filled = dict.fromkeys(readers, False)
    counters = {
        column: getter(split.counted_by, records.columns)
        for column, split in layout.split.items()
        if split.counted_by is not None
    }
    for number, record in enumerate(records.rows(wanted)):
        row: dict[str, Any] = dict(layout.constants)
        for column, read in readers.items():
            values = read(record)
            filled[column] = filled[column] or bool(values)
            if column == "image_uri":
                names = [name for value in values if (name := text(value))]
                row[column] = names[0] if names else None
                row[MORE_IMAGES] = names[1:]
            elif column in LISTS:
                counter = counters.get(column)
                count = None if counter is None else _count(counter(record))
                row[column] = _split_values(values, layout.split.get(column), count)
            else:
                row[column] = text(values) if column == "title" else _join_values(values)
        if row["artwork_id"] is None:
            notes.leave_out("rows without an id", records.place(number))
            continue
        yield records.place(number), row
    if records.count and (empty := [name for name, any_value in filled.items() if not any_value]):
        notes.say(f"{records.source}: no record has {', '.join(sorted(empty))}")


def _readers(layout: Layout, records: Records) -> dict[str, Getter]:
    if strange := sorted(set(layout.columns) - set(schemas.CATALOG.names)):
        raise CatalogError(
            f"catalog.columns: no catalog column {', '.join(strange)}; allowed: {', '.join(schemas.CATALOG.names)}"
        )
    readers = {}
    for column, paths in layout.columns.items():
        present = [
            path
            for path in paths
            if all(name in records.columns for name in top_level(path, records.columns))
        ]
        if present:
            readers[column] = first_of([getter(path, records.columns) for path in present])
    return readers


def _counting_paths(layout: Layout) -> tuple[str, ...]:
    return tuple(split.counted_by for split in layout.split.values() if split.counted_by)


def _count(values: list[Any]) -> int:
    if len(values) == 1:
        return len([part for part in str(values[0]).split(",") if part.strip()])
    return len(values)


def _join_values(values: list[Any]) -> str | None:
    """One text for a column, in which several values of a record stand side by side."""
    return text(values[0]) if len(values) == 1 else text(values)


def _split_values(values: list[Any], split: Split | None, count: int | None) -> list[str]:
    if len(values) == 1 and isinstance(values[0], str):
        text_value = values[0]
        parts = text_value.splitlines() if split is None else text_value.split(split.separator)
        values = [text_value] if count is not None and len(parts) != count else parts
    names = [name for value in values if (name := text(value))]
    return list(dict.fromkeys(names))
