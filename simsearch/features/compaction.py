"""Merge small shards, or nightly increments would leave thousands of files to open.

New shards are written before old ones are deleted. A crash in between therefore leaves rows twice, never
lost. The next run detects the repetition and merges the rows again. Only the holder of the lease compacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.storage.parts import list_parts, read_parts, write_part
from simsearch.storage.storage import Storage

FEWEST_SHARDS = 8  # fewer small shards are not worth rewriting
FEWEST_PARTS = 16


@dataclass(frozen=True)
class UntidyShards:
    """Shards that are worth merging: the number of `rows` by each shard's name."""

    rows: Mapping[str, int]


def untidy_shards(keys: feature_store.StoredKeys, shard_rows: int) -> UntidyShards:
    """Shards below half of `shard_rows`, if there are enough of them, and shards with a vector that is
    stored twice."""
    twice = keys.shards_of(np.bincount(keys.numbers, minlength=1)[keys.numbers] > 1)
    rows = dict(zip(keys.shards, keys.rows.tolist(), strict=True))
    small = {name for name, count in rows.items() if 2 * count < shard_rows}
    chosen = sorted(twice | small if len(small) >= FEWEST_SHARDS else twice)
    return UntidyShards({name: rows[name] for name in chosen})


def compact_shards(
    storage: Storage, space: FeatureSpace, shard_rows: int, untidy: UntidyShards
) -> int:
    """Merge untidy shards into shards of up to `shard_rows`. Returns the number of merged shards."""
    seen: set[str] = set()
    written: set[str | None] = set()
    for group in _groups(untidy.rows, shard_rows):
        written.add(_merge(storage, space, group, seen))
        for name in group:
            # Shards are named by content, so a written shard may also be one of a later group.
            if (path := feature_store.shard_path(space, name)) not in written:
                storage.delete(path)
    return len(untidy.rows)


def compact_parts(storage: Storage, folder: str, schema: pa.Schema) -> int:
    """Merge the parts of an append-only table, each row once. Returns the number of merged parts."""
    names = [info.path for info in list_parts(storage, folder)]
    if len(names) < FEWEST_PARTS:
        return 0
    unique: dict[tuple[object, ...], dict[str, object]] = {}
    for row in read_parts(storage, folder, schema).to_pylist():
        unique.pop(tuple(row.values()), None)  # of equal rows the last one stays
        unique[tuple(row.values())] = row
    written = write_part(storage, folder, list(unique.values()), schema)
    for name in names:
        if f"{folder}/{name}" != written:
            storage.delete(f"{folder}/{name}")
    return len(names)


def _groups(rows: Mapping[str, int], shard_rows: int) -> Iterator[list[str]]:
    group: list[str] = []
    held = 0
    for name, count in rows.items():
        if group and held + count > shard_rows:
            yield group
            group, held = [], 0
        group.append(name)
        held += count
    if group:
        yield group


def _merge(
    storage: Storage, space: FeatureSpace, group: Sequence[str], seen: set[str]
) -> str | None:
    shards = [storage.read_table(feature_store.shard_path(space, name)) for name in group]
    makers = set().union(*(feature_store.installations_of(shard) for shard in shards))
    table = pa.concat_tables(shards)
    fresh = []
    for key in feature_store.keys_of(table):
        fresh.append(key not in seen)
        seen.add(key)
    table = table.filter(pa.array(fresh))
    if not table.num_rows:
        return None
    return feature_store.write_shard(storage, space, table, feature_store.vectors_of(table), makers)
