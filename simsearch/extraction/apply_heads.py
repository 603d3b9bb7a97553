"""Heads turn stored vectors into the vectors of further spaces. No image is read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.encoders.heads.head import Head
from simsearch.encoders.trained import Training, list_trainings, read_weights, training_settings
from simsearch.errors import TrainingError
from simsearch.extraction.networks import PreparedNetwork
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.runtime.installation import describe_own_installation, digest_of
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage


@dataclass(frozen=True)
class FittedHead:
    """A head and its training."""

    training: Training
    head: Head

    def space(self, encoder: FeatureSpace, name: str) -> FeatureSpace:
        """The space called `name` that this head makes of an encoder's space."""
        return replace(
            encoder,
            name=name,
            dimension=self.head.dimension,
            head=self.training.name,
            head_digest=self.training.weights_sha256,
        )


def find_heads(
    config: Config, storage: Storage, networks: Sequence[PreparedNetwork]
) -> dict[str, FittedHead]:
    """The head of each space that names one: the newest one fitted with the config's settings for the
    space's encoder. Raises TrainingError if there is none."""
    encoders = {network.space.encoder: network.space for network in networks}
    return {
        space.name: _find(config, storage, space.head, encoders[space.backbone])
        for space in config.extract.spaces
        if space.head is not None
    }


def _find(config: Config, storage: Storage, name: str, encoder: FeatureSpace) -> FittedHead:
    called = [training for training in list_trainings(storage) if training.name == name]
    fitting = [training for training in called if training.fitted_for == encoder.fingerprint]
    for training in fitting:
        if training.settings == training_settings(config, config.heads[name]):
            data = read_weights(storage, training)
            return FittedHead(training, Head.from_bytes(data, storage.uri(training.folder)))
    why = "is not fitted yet"
    if fitting:
        why = "was fitted with other settings"
    elif called:
        why = f"was fitted for {called[0].fitted_for}, not for {encoder.fingerprint}"
    raise TrainingError(f"head {name!r} of {encoder.encoder} {why}; run `simsearch train` first")


def apply_heads(
    config: Config,
    storage: Storage,
    networks: Sequence[PreparedNetwork],
    heads: Mapping[str, FittedHead],
    images: int,
) -> tuple[tuple[FeatureSpace, ...], int]:
    """Store the vectors that each space with a head lacks and that its encoder's space has.

    Returns the spaces that have a backbone, in the config's order, and the number of computed vectors.
    `images` is the number of images in a space."""
    encoders = {network.space.encoder: network.space for network in networks}
    spaces = tuple(
        heads[wanted.name].space(encoders[wanted.backbone], wanted.name)
        if wanted.name in heads
        else replace(encoders[wanted.backbone], name=wanted.name)
        for wanted in config.extract.spaces
        if wanted.backbone
    )
    if not heads:
        return spaces, 0
    total, count = images * len(heads), Count()

    def apply_all() -> int:
        for space in spaces:
            if space.name in heads:
                head = heads[space.name].head
                for vectors in _apply(storage, encoders[space.encoder], space, head):
                    count.tell(count.read() + vectors)
        return count.read()

    return spaces, run_followed("heads", total, "vectors", config.ray, apply_all, count.read)


def _apply(
    storage: Storage, encoder: FeatureSpace, space: FeatureSpace, head: Head
) -> Iterator[int]:
    """Store the vectors that the shards of `space` lack and those of `encoder` hold, one task a shard.
    Yields the number that each task stored."""
    head_reference = ray.put(head)
    made_by = digest_of(describe_own_installation())
    pending = [
        _apply_to_shard.remote(storage, encoder, space, head_reference, shard, rows, made_by)
        for shard, rows in _missing(
            feature_store.read_keys(storage, encoder), feature_store.read_keys(storage, space)
        )
    ]
    while pending:
        (done,), pending = ray.wait(pending, num_returns=1)
        yield ray.get(done)


def _missing(
    given: feature_store.StoredKeys, held: feature_store.StoredKeys
) -> Iterator[tuple[str, pa.Array]]:
    """The shards of `given`, with the rows whose vectors are neither among `held` nor in an earlier
    shard."""
    keys = pa.array(feature_store.keys_of(given.table), pa.string())
    held_keys = pa.array(feature_store.keys_of(held.table), pa.string())
    wanted = ~np.asarray(pc.is_in(keys, value_set=held_keys), dtype=bool)
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(given.numbers, return_index=True)[1]] = True
    ends = np.cumsum(given.rows)
    for shard, start, end in zip(given.shards, ends - given.rows, ends, strict=True):
        rows = np.flatnonzero((wanted & first)[start:end])
        if len(rows):
            yield shard, pa.array(rows)


@ray.remote(num_cpus=TASKS["apply"].cpus, max_retries=ENDLESS)
def _apply_to_shard(
    storage: Storage,
    encoder: FeatureSpace,
    space: FeatureSpace,
    head: Head,
    shard: str,
    rows: pa.Array,
    made_by: str,
) -> int:
    path = feature_store.shard_path(encoder, shard)
    table = storage.read_table(path).take(rows)
    vectors = head(feature_store.finite_vectors(storage, path, table))
    rows_of_shard = table.drop(["vector"]).combine_chunks()
    makers = feature_store.installations_of(table) | {made_by}
    feature_store.write_shard(storage, space, rows_of_shard, vectors, makers)
    return len(rows)
