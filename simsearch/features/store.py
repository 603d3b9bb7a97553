"""Feature vectors in Parquet shards, one folder per fingerprint. Rows never change.

A vector belongs to the source bytes (`content_hash`) and the perturbation profile that were embedded.
Only the catalog knows the artwork of the bytes, so a renamed image or a second artwork with the same
picture needs no new vector.
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
READ_THREADS = 8  # shards read at once, which hides a store's latency


def folder(space: FeatureSpace) -> str:
    return f"features/{space.fingerprint}"


def write_shard(
    storage: Storage,
    space: FeatureSpace,
    rows: pa.Table,
    vectors: npt.NDArray[np.float32],
    made_by: Iterable[str] = (),
) -> str:
    """Store `vectors` [n, dimension] of `rows` (schemas.IMAGES columns). Returns the shard's path.

    `made_by` names the installations that computed the vectors (`runtime.installation.digest_of`). The
    names are kept in the shard's metadata, and run records explain them. The shard's name follows from
    the rows, so a repeated write replaces its own shard.
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
    """The keys of a space's stored vectors: the names of its `shards`, the `rows` int64 [shards] in each,
    and the `table` with the columns `content_hash` and `profile` of all rows in that order."""

    shards: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    table: pa.Table

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """A number for each row's vector [rows]. Rows with the same vector have the same number, and the
        numbers count up from 0 without gaps."""
        encoded = _keys(self.table).dictionary_encode()
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

    @property
    def distinct(self) -> int:
        """The number of different vectors."""
        return int(self.numbers.max(initial=-1)) + 1

    def shards_of(self, rows: npt.NDArray[np.bool_]) -> set[str]:
        """The names of the shards that hold any of the marked `rows` [rows]."""
        owners = np.repeat(np.arange(len(self.shards)), self.rows)[rows]
        return {self.shards[number] for number in np.unique(owners)}


def read_keys(storage: Storage, space: FeatureSpace) -> StoredKeys:
    """The keys of a space's stored vectors. The vectors are not read."""
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
    """The number of vectors of `images` that the space's shards lack. The vectors are not read."""
    stored = _keys(read_keys(storage, space).table)
    here = pc.is_in(_keys(images).unique(), value_set=stored)
    return int(pc.sum(pc.invert(here)).as_py() or 0)


def count_rows(storage: Storage, space: FeatureSpace) -> int:
    """The number of rows in a space's shards, from the metadata of their files."""

    def rows(name: str) -> int:
        return int(storage.read_table(shard_path(space, name), []).num_rows)

    with ThreadPoolExecutor(READ_THREADS) as pool:
        return sum(pool.map(rows, [shard.path for shard in list_parts(storage, folder(space))]))


def keys_of(rows: pa.Table) -> list[str]:
    keys: list[str] = _keys(rows).to_pylist()
    return keys


def space_of(shard: pa.Table) -> FeatureSpace:
    """The feature space of a shard's vectors."""
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


def installations_of(shard: pa.Table) -> set[str]:
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

    Raises IncompleteError if the shards lack a vector, DamagedError for one that is not finite.
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
