"""Files of a set for downloading: its artworks as CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.reading.view import SnapshotView

# Where an image lies and its etag are the operator's business, not a colleague's.
COLUMNS = (
    "artwork_id", "title", "artists", "date", "medium", "dimensions", "department",
    "classification", "subjects", "credit", "rights", "attribution", "url",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute


def set_table(view: SnapshotView, numbers: Sequence[int]) -> pa.Table:
    """The set's catalog rows, in the catalog's order."""
    here = [name for name in COLUMNS if name in view.catalog.column_names]
    return view.catalog.select(here).take(pa.array(numbers, pa.int64()))


def parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def csv_bytes(table: pa.Table) -> bytes:
    """The table as CSV in UTF-8 with a byte order mark, by which spreadsheets recognise it; lists are
    joined by semicolons. A cell that would be taken for a formula gets an apostrophe in front (OWASP,
    "CSV injection")."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([_cell(row[name]) for name in table.column_names])
    return buffer.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return f"'{text}" if text.startswith(FORMULA) else text
