"""Joined spaces are made of stored vectors of other spaces. No image is read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.features import store as feature_store
from simsearch.features.joined import join_vectors
from simsearch.features.space import FeatureSpace
from simsearch.runtime.installation import describe_own_installation, digest_of
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage


def join_spaces(
    config: Config, storage: Storage, encoded: Sequence[FeatureSpace], images: int
) -> tuple[tuple[FeatureSpace, ...], int]:
    """Store the vectors that each joined space lacks and that all its parts have, which are among the
    `encoded` spaces.

    Returns all spaces in the config's order, and the number of computed vectors. `images` is the number of
    images in a space."""
    by_name = {space.name: space for space in encoded}
    joined = [
        FeatureSpace.joined(wanted.name, [(by_name[name], by) for name, by in wanted.of.items()])
        for wanted in config.extract.spaces
        if wanted.of
    ]
    by_name |= {space.name: space for space in joined}
    spaces = tuple(by_name[wanted.name] for wanted in config.extract.spaces)
    if not joined:
        return spaces, 0
    count = Count()

    def join_all() -> int:
        for space in joined:
            for vectors in _join(storage, space):
                count.tell(count.read() + vectors)
        return count.read()

    total = images * len(joined)
    return spaces, run_followed("join", total, "vectors", config.ray, join_all, count.read)


@dataclass(frozen=True)
class _Piece:
    """Vectors to join: the `rows` of a `shard` of the first part, and for each other part the shards that
    hold the same images."""

    shard: str
    rows: pa.Array
    others: tuple[tuple[str, ...], ...]


def _join(storage: Storage, space: FeatureSpace) -> Iterator[int]:
    """Store what `space` lacks, one task a shard of its first part. Yields the number that each task stored."""
    made_by = digest_of(describe_own_installation())
    pending = [
        _join_shard.remote(storage, space, piece, made_by) for piece in _pieces(storage, space)
    ]
    while pending:
        (done,), pending = ray.wait(pending, num_returns=1)
        yield ray.get(done)


def _pieces(storage: Storage, space: FeatureSpace) -> Iterator[_Piece]:
    first, *others = (feature_store.read_keys(storage, part) for part in space.encoded)
    keys = pa.array(feature_store.keys_of(first.table), pa.string())
    held = feature_store.keys_of(feature_store.read_keys(storage, space).table)
    wanted = ~np.asarray(pc.is_in(keys, value_set=pa.array(held, pa.string())), dtype=bool)
    distinct = np.zeros(len(keys), dtype=bool)
    distinct[np.unique(first.numbers, return_index=True)[1]] = True
    wanted &= distinct
    places = []
    for other in others:
        stored = pa.array(feature_store.keys_of(other.table), pa.string())
        place = pc.fill_null(pc.index_in(keys, value_set=stored), -1).to_numpy()
        wanted &= place >= 0  # the image is new, or from before this part was among the spaces
        places.append(place)
    ends = np.cumsum(first.rows)
    for shard, start, end in zip(first.shards, ends - first.rows, ends, strict=True):
        rows = np.flatnonzero(wanted[start:end])
        if len(rows):
            asked = tuple(
                _shards_at(other, place[start:end][rows])
                for other, place in zip(others, places, strict=True)
            )
            yield _Piece(shard, pa.array(rows), asked)


def _shards_at(stored: feature_store.StoredKeys, rows: npt.NDArray[np.int64]) -> tuple[str, ...]:
    marked = np.zeros(stored.table.num_rows, dtype=bool)
    marked[rows] = True
    return tuple(sorted(stored.shards_of(marked)))


@ray.remote(num_cpus=TASKS["apply"].cpus, max_retries=ENDLESS)
def _join_shard(storage: Storage, space: FeatureSpace, piece: _Piece, made_by: str) -> int:
    first, *others = space.encoded
    path = feature_store.shard_path(first, piece.shard)
    table = storage.read_table(path).take(piece.rows)
    makers = feature_store.installations_of(table) | {made_by}
    vectors = [feature_store.finite_vectors(storage, path, table)]
    keys = pa.array(feature_store.keys_of(table), pa.string())
    for part, shards in zip(others, piece.others, strict=True):
        rows, stored = [], []
        for shard in shards:
            path = feature_store.shard_path(part, shard)
            held = storage.read_table(path)
            makers |= feature_store.installations_of(held)
            rows += feature_store.keys_of(held)
            stored.append(feature_store.finite_vectors(storage, path, held))
        places = pc.index_in(keys, value_set=pa.array(rows, pa.string()))
        vectors.append(np.concatenate(stored)[places.to_numpy()])
    joined = join_vectors(vectors, [weight for _, weight in space.parts])
    rows_of_shard = table.drop(["vector"]).combine_chunks()
    feature_store.write_shard(storage, space, rows_of_shard, joined, makers)
    return len(joined)
