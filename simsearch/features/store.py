"""Feature vectors in Parquet shards, one folder per fingerprint; no row in them ever changes.

A vector belongs to what was embedded: the source bytes (`content_hash`) and the perturbation
profile. Which artwork those bytes belong to is the catalog's business, so a renamed image or a
second artwork with the same picture costs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.errors import DamagedError, IncompleteError
from simsearch.features.space import FeatureSpace
from simsearch.storage.parts import list_parts
from simsearch.storage.storage import Storage

METADATA_KEY = b"simsearch.feature_space"
MADE_BY_KEY = b"simsearch.made_by"
READ_THREADS = 8  # shards asked for at once: hides a store's latency


def folder(space: FeatureSpace) -> str:
    return f"features/{space.fingerprint}"


def write_shard(
    storage: Storage,
    space: FeatureSpace,
    rows: pa.Table,
    vectors: npt.NDArray[np.float32],
    made_by: Iterable[str] = (),
) -> str:
    """Store `vectors` [n, dimension] of `rows` (schemas.IMAGES columns); returns the shard's path.

    `made_by` names the installations that computed them (`runtime.installation.digest_of`): it is kept in
    the shard's metadata, and the records of runs say what the names stand for. The shard's name follows
    from the rows, so a repeated write replaces its own shard.
    """
    schema = schemas.features(space.dimension)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, space.dimension)
    keys = "\n".join(keys_of(rows))
    name = hashlib.sha256(keys.encode()).hexdigest()[:20]
    table = pa.table(
        [
            *(rows[field.name].combine_chunks() for field in schema if field.name != "vector"),
            column,
        ],
        schema=schema.with_metadata(
            {
                METADATA_KEY: json.dumps(space.to_json(), sort_keys=True),
                MADE_BY_KEY: " ".join(sorted(set(made_by))),
            }
        ),
    )
    path = f"{folder(space)}/part-{name}.parquet"
    storage.write_table(path, table)
    return path


@dataclass(frozen=True)
class StoredKeys:
    """Which vectors a space's shards hold: the names of its `shards`, the `rows` int64 [shards] in
    each, and `table`, the columns `content_hash` and `profile` of all of them in that order."""

    shards: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    table: pa.Table

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Each row's vector [rows]: rows that hold the same vector have the same number, and the
        numbers are all of those from 0 on."""
        encoded = _keys(self.table).dictionary_encode()
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

    @property
    def distinct(self) -> int:
        """How many different vectors there are."""
        return int(self.numbers.max(initial=-1)) + 1

    def shards_of(self, rows: npt.NDArray[np.bool_]) -> set[str]:
        """The names of the shards that hold any of the marked `rows` [rows]."""
        owners = np.repeat(np.arange(len(self.shards)), self.rows)[rows]
        return {self.shards[number] for number in np.unique(owners)}


def stored_keys(storage: Storage, space: FeatureSpace) -> StoredKeys:
    """What a space's shards hold, without their vectors."""
    names = tuple(shard.path for shard in list_parts(storage, folder(space)))

    def read(name: str) -> pa.Table:
        table = storage.read_table(shard_path(space, name), ["content_hash", "profile"])
        return table.replace_schema_metadata()

    with ThreadPoolExecutor(READ_THREADS) as pool:
        tables = list(pool.map(read, names))
    empty = pa.schema([schemas.IMAGES.field(name) for name in ("content_hash", "profile")])
    return StoredKeys(
        shards=names,
        rows=np.array([table.num_rows for table in tables], dtype=np.int64),
        table=pa.concat_tables([empty.empty_table(), *tables]).combine_chunks(),
    )


def count_missing(storage: Storage, space: FeatureSpace, images: pa.Table) -> int:
    """How many vectors of `images` the space's shards lack. The vectors themselves are not read."""
    stored = _keys(stored_keys(storage, space).table)
    here = pc.is_in(_keys(images).unique(), value_set=stored)
    return int(pc.sum(pc.invert(here)).as_py() or 0)


def count_rows(storage: Storage, space: FeatureSpace) -> int:
    """How many rows a space's shards have, by what their files say of themselves."""

    def rows(name: str) -> int:
        return int(storage.read_table(shard_path(space, name), []).num_rows)

    with ThreadPoolExecutor(READ_THREADS) as pool:
        return sum(pool.map(rows, [shard.path for shard in list_parts(storage, folder(space))]))


def keys_of(rows: pa.Table) -> list[str]:
    keys: list[str] = _keys(rows).to_pylist()
    return keys


def space_of(shard: pa.Table) -> FeatureSpace:
    """The feature space whose vectors a shard holds."""
    return FeatureSpace.from_json(json.loads(shard.schema.metadata[METADATA_KEY]))


def vectors_of(shard: pa.Table) -> npt.NDArray[np.float32]:
    """The vectors [n, dimension] float32 of a shard's rows."""
    flat = shard["vector"].combine_chunks().flatten().to_numpy()
    return np.asarray(flat.reshape(shard.num_rows, -1), dtype=np.float32)


def finite_vectors(storage: Storage, path: str, shard: pa.Table) -> npt.NDArray[np.float32]:
    """`vectors_of` the shard at `path`. Raises DamagedError where a vector is not finite: extraction
    rejects the images of such vectors, and search would list them before all others."""
    vectors = vectors_of(shard)
    if not np.isfinite(vectors).all():
        raise DamagedError(storage.root, path, "holds a vector that is not finite")
    return vectors


def made_by(shard: pa.Table) -> set[str]:
    """The names of the installations that computed a shard's vectors."""
    return set((shard.schema.metadata or {}).get(MADE_BY_KEY, b"").decode().split())


def shard_path(space: FeatureSpace, name: str) -> str:
    return f"{folder(space)}/{name}"


def key(content_hash: str, profile: str | None) -> str:
    return f"{content_hash}/{profile or ''}"


def read_vectors(
    storage: Storage, space: FeatureSpace, images: pa.Table
) -> npt.NDArray[np.float32]:
    """The vectors [n, dimension] float32 of `images`, row by row.

    Raises IncompleteError when the shards lack one, DamagedError for one that is not finite.
    """
    wanted = _keys(images)
    unique = wanted.unique()
    matrix = np.empty((len(unique), space.dimension), dtype=np.float32)
    stored = np.zeros(len(unique), dtype=bool)
    for shard in list_parts(storage, folder(space)):
        path = shard_path(space, shard.path)
        table = storage.read_table(path)
        positions = pc.index_in(_keys(table), value_set=unique)
        present = np.asarray(positions.is_valid())
        rows = positions.drop_null().to_numpy(zero_copy_only=False)
        matrix[rows] = finite_vectors(storage, path, table)[present]
        stored[rows] = True
    if not stored.all():
        missing = int((~stored).sum())
        raise IncompleteError(
            f"{storage.uri(folder(space))}: {missing} of {len(unique)} vectors are missing; "
            "run `simsearch extract` again"
        )
    return np.asarray(matrix[pc.index_in(wanted, value_set=unique).to_numpy()])


def _keys(rows: pa.Table) -> pa.Array:
    if not rows.num_rows:
        return pa.array([], pa.string())
    profile = pc.fill_null(rows["profile"].combine_chunks(), "")
    return pc.binary_join_element_wise(rows["content_hash"].combine_chunks(), profile, "/")
