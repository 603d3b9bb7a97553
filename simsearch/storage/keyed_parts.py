"""Tables of which each row has a key and never changes: a folder of Parquet files named for their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simsearch.storage.parts import list_parts
from simsearch.storage.storage import Storage

READ_THREADS = 8  # parts asked for at once: hides a store's latency
FEWEST_PARTS = 8  # fewer small ones are not worth rewriting


@dataclass(frozen=True)
class StoredParts:
    """The keys of a folder: `table` has the key's columns, others that were asked for, and `part`, the
    number of the row's part among `names`. A row that was written twice is there twice."""

    names: tuple[str, ...]
    table: pa.Table


@dataclass(frozen=True)
class KeyedParts:
    """The table in a `folder` of `storage`, whose columns are those of `schema` and whose key are the
    columns `key`. So many rows as `group_rows` (None: very many) are stored, and read by a key, together."""

    storage: Storage
    folder: str
    schema: pa.Schema
    key: tuple[str, ...]
    group_rows: int | None = None

    def write(self, table: pa.Table) -> str | None:
        """Add rows; returns the path of their part, None where there are no rows. The same keys replace
        their own part, so that a retry adds nothing."""
        if not table.num_rows:
            return None
        table = table.sort_by([(name, "ascending") for name in self.key]).combine_chunks()
        digest = hashlib.sha256("\n".join(self._lines(table)).encode()).hexdigest()
        path = f"{self.folder}/part-{digest[:20]}.parquet"
        self.storage.write_table(path, table.cast(self.schema), self.group_rows)
        return path

    def stored(self, *more: str) -> StoredParts:
        """The keys of all rows, with `more` columns."""
        columns = [*self.key, *more]
        names = tuple(info.path for info in list_parts(self.storage, self.folder))
        with ThreadPoolExecutor(READ_THREADS) as pool:
            tables = list(pool.map(lambda name: self.read(name, columns), names))
        counts = [table.num_rows for table in tables]
        empty = pa.schema([self.schema.field(name) for name in columns]).empty_table()
        keys = pa.concat_tables([empty, *tables]).combine_chunks()
        numbers = np.repeat(np.arange(len(names)), counts)
        return StoredParts(names, keys.append_column("part", pa.array(numbers, pa.int64())))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a part."""
        path = f"{self.folder}/{name}"
        return self.storage.read_table(path, None if columns is None else list(columns))

    def read_rows(self, name: str, values: pa.Array) -> pa.Table:
        """The rows of a part with one of `values` in the key's first column."""
        return self.storage.read_rows(f"{self.folder}/{name}", self.key[0], values)

    def compact(self, most_rows: int) -> int:
        """Merge parts of less than half of `most_rows` into parts of up to `most_rows`, where there are
        several. Returns how many were merged."""
        stored = self.stored()
        counts = np.bincount(stored.table["part"].to_numpy(), minlength=len(stored.names))
        small = {
            name: int(count)
            for name, count in zip(stored.names, counts, strict=True)
            if 2 * count < most_rows
        }
        if len(small) < FEWEST_PARTS:
            return 0
        seen: set[str] = set()
        written: set[str | None] = set()
        for names in _groups(small, most_rows):
            rows = pa.concat_tables([self.read(name) for name in names])
            written.add(self.write(rows.filter(pa.array(self._fresh(rows, seen)))))
            for name in names:
                # Parts are named by their keys: what one group wrote may be a part of a later group.
                if f"{self.folder}/{name}" not in written:
                    self.storage.delete(f"{self.folder}/{name}")
        return len(small)

    def _fresh(self, rows: pa.Table, seen: set[str]) -> list[bool]:
        """Which rows have a key that was not `seen`; they are, afterwards."""
        fresh = []
        for key in self._lines(rows):
            fresh.append(key not in seen)
            seen.add(key)
        return fresh

    def _lines(self, rows: pa.Table) -> list[str]:
        """The keys of rows as texts."""
        lines = pc.binary_join_element_wise(*(rows[name] for name in self.key), " ")
        return [str(line) for line in lines.to_pylist()]

    def remove(self, gone: Callable[[pa.Table], pa.Array]) -> None:
        """Remove the rows whose keys are `gone`."""
        for info in list_parts(self.storage, self.folder):
            if not pc.any(gone(self.read(info.path, self.key))).as_py():
                continue
            table = self.read(info.path)
            self.write(table.filter(pc.invert(gone(table))))
            self.storage.delete(f"{self.folder}/{info.path}")


def _groups(rows: Mapping[str, int], most_rows: int) -> Iterator[list[str]]:
    group: list[str] = []
    count = 0
    for name, number in rows.items():
        if group and count + number > most_rows:
            yield group
            group, count = [], 0
        group.append(name)
        count += number
    if group:
        yield group
