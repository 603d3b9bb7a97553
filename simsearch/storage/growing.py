"""A Parquet file that is written part by part, so that no process holds all of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from simsearch.storage.parquet import WRITING
from simsearch.storage.storage import Storage

GROUP_BYTES = 2**23  # at least, of a row group: many small groups are slow to read


class GrowingTable:
    """Writes a table to `path` within a `with` block.

    The file appears whole when the block ends without an error. All appended parts have the same schema.
    Without a part, no file is made."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage, self._path = storage, path
        self._held: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> GrowingTable:
        self._folder = tempfile.TemporaryDirectory(prefix="simsearch-")
        self._file = Path(self._folder.name) / "table.parquet"
        return self

    def append(self, part: pa.Table) -> None:
        self._held.append(part)
        if sum(table.nbytes for table in self._held) >= GROUP_BYTES:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._folder:
            if error is None and self._held:
                self._flush()
            if self._writer is not None:
                self._writer.close()
                if error is None:
                    self._storage.upload(self._file, self._path)

    def _flush(self) -> None:
        table = pa.concat_tables(self._held).combine_chunks()
        self._held = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, **WRITING)
        self._writer.write_table(table)
