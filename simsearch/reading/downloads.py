"""Tables to download: the snapshot's Parquet files, also as CSV."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pyarrow as pa

from simsearch.errors import NotFoundError
from simsearch.reading.csv_text import csv_bytes
from simsearch.reading.view import SnapshotView
from simsearch.settings.shown_places import show_reject
from simsearch.snapshots.layout import SEARCHES
from simsearch.storage.parquet import encode_table

MOST_NAME = 80  # characters of a file's name
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def table_names(view: SnapshotView) -> list[str]:
    """Names of all tables, without the ending."""
    neighbours = [f"neighbours-{space}-{search}" for space in view.spaces for search in SEARCHES]
    near = ["near-duplicates"] if duplicates_path(view) else []
    return ["metrics", *neighbours, *near, "rejects"]


def duplicates_path(view: SnapshotView) -> str | None:
    """The path of the table of near-duplicates. None if the snapshot has none, as those of earlier
    versions."""
    path = view.snapshot.near_duplicates_path
    return path if path.removeprefix(f"{view.snapshot.folder}/") in view.manifest["files"] else None


def table_bytes(view: SnapshotView, name: str, kind: str) -> bytes:
    """A table as `csv` or `parquet`. Raises NotFoundError for a name that is not in the list."""
    paths = {
        "metrics": view.snapshot.metrics_path,
        "rejects": view.snapshot.rejects_path,
    }
    if near := duplicates_path(view):
        paths["near-duplicates"] = near
    for space in view.spaces:
        for search in SEARCHES:
            path = view.snapshot.neighbours_path(space, search)
            paths[f"neighbours-{space}-{search}"] = path
    if name not in paths or kind not in MEDIA_TYPES:
        raise NotFoundError(f"no such table; there are {', '.join(paths)}, as csv or parquet")
    if name == "rejects":
        rows = [show_reject(row) for row in view.rejects.to_pylist()]
        table = pa.Table.from_pylist(rows, schema=view.rejects.schema)
        return encode_table(table) if kind == "parquet" else csv_bytes(table)
    if kind == "parquet":
        return view.snapshot.storage.read_bytes(paths[name])
    return csv_bytes(view.snapshot.storage.read_table(paths[name]))


def file_name(title: str, ending: str) -> str:
    """The name of a file for `title`: its letters with their marks and its digits, with a hyphen for
    everything between them. All systems accept such names."""
    kept = "".join(
        letter if unicodedata.category(letter)[0] in "LMN" else " "
        for letter in unicodedata.normalize("NFC", title)
    )
    return f"{'-'.join(kept.split())[:MOST_NAME].strip('-') or 'unnamed'}.{ending}"


def disposition(name: str, handling: str = "attachment") -> str:
    """The header Content-Disposition of a file to save, or to show if `handling` is inline. Names that are
    not plain ASCII have the form of RFC 6266."""
    if name.isascii():
        return f'{handling}; filename="{name}"'
    stem, _, ending = name.rpartition(".")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return (
        f'{handling}; filename="{file_name(plain, ending)}"; '
        f"filename*=UTF-8''{quote(name, safe='')}"
    )
