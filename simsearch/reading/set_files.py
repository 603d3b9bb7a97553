"""Files of a set to download: its artworks as a table and as Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.reading.view import SnapshotView

# The columns for a colleague. The place and the etag of an image only concern the operator.
COLUMNS = (
    "artwork_id", "title", "artists", "date", "medium", "dimensions", "department",
    "classification", "subjects", "credit", "rights", "attribution", "url",
)  # fmt: skip


def set_table(view: SnapshotView, numbers: Sequence[int]) -> pa.Table:
    """The set's catalog rows, in the catalog's order."""
    here = [name for name in COLUMNS if name in view.catalog.column_names]
    return view.catalog.select(here).take(pa.array(numbers, pa.int64()))


def parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
