"""Extraction: a catalog's images through Ray Data into feature shards, only what is missing.

catalog rows → fetch and decode (tasks) → one actor pool per group of encoders → shards (tasks).
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy

from simsearch import schemas
from simsearch.config import Config
from simsearch.extraction.counter import RemoteCounter, polled
from simsearch.extraction.decode import DecodeSettings, decode_batch
from simsearch.extraction.embed import Embed, EmbedSettings
from simsearch.extraction.missing import Missing, StoredVectors
from simsearch.extraction.networks import PreparedNetwork
from simsearch.extraction.placement import DECODE_CPUS, WRITE_CPUS, Pool, plan_pools
from simsearch.extraction.write import write_batch
from simsearch.features.compaction import compact_parts, compact_shards
from simsearch.features.space import FeatureSpace
from simsearch.images.preprocessing import Preprocessing
from simsearch.runtime.progress import duration, progress
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

BATCH_CPU = 16

BATCH_GPU = 128

# Ray Data splits an output block above 128 MiB; pixels of a decoded block stay well below.
BLOCK_BYTES = 48 * 2**20

BLOCKS_PER_ACTOR = 32

# glibc gives a layer's output back to the system and asks for it again, zeroed, at the next batch;
# kept instead, forward passes on a CPU ran 1.14 (VGG16) to 1.4 times (DenseNet201) faster. One
# arena, because others map what is larger than 64 MiB anew. See mallopt(3).
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


@dataclass(frozen=True)
class Extraction:
    """What a catalog's images became: every image that has a vector in all spaces, and the rest."""

    images: pa.Table  # schemas.IMAGES, sorted by image_id
    rejects: pa.Table  # schemas.REJECTS, one row per artwork, sorted by artwork_id
    computed: int  # vectors computed in this run
    reused: int  # vectors that were there already, those of renamed and touched files included
    startup: float  # seconds until the first batch of vectors was out
    rate: float  # vectors per second from then on
    pools: tuple[Pool, ...]  # that computed; none where nothing was missing


class EmbedActor(Embed):
    """Embed with its weights from Ray's object store."""

    def __init__(self, *, weights: Sequence[Any], **settings: Any) -> None:
        super().__init__(weights=ray.get(list(weights)), **settings)


def extract(
    config: Config, storage: Storage, catalog: pa.Table, networks: Sequence[PreparedNetwork]
) -> Extraction:
    """Compute the vectors that are missing. Raises IncompleteError if rows are unaccounted for."""
    spaces = [network.space for network in networks]
    before = Missing.read(config, storage, catalog, spaces)
    todo = before.todo(retry_rejects=config.extract.retry_rejects)
    missing = sum(sum(need) for need in todo["need"].to_pylist())
    startup = rate = 0.0
    pools: tuple[Pool, ...] = ()
    if missing:
        log.info(
            "extract: %s vectors to compute or to find again by content, %s are there already",
            f"{missing:,}",
            f"{before.stored_count:,}",
        )
        startup, rate, pools = _run_pipeline(
            config, storage, todo, networks, before.orphans(), missing
        )
    after = Missing.read(config, storage, catalog, spaces) if missing else before
    _compact(config, storage, spaces, after.stored)
    computed = sum(
        now.distinct - then.distinct for now, then in zip(after.stored, before.stored, strict=True)
    )
    return Extraction(
        images=after.images(),
        rejects=after.rejects(),
        computed=computed,
        reused=after.stored_count - computed,
        startup=startup,
        rate=rate,
        pools=pools,
    )


def _compact(
    config: Config,
    storage: Storage,
    spaces: Sequence[FeatureSpace],
    stored: Sequence[StoredVectors],
) -> None:
    for space, vectors in zip(spaces, stored, strict=True):
        if merged := compact_shards(storage, space, config.extract.shard_rows, vectors.untidy):
            log.info("extract: merged %s small shards of %s", merged, space.fingerprint)
    compact_parts(storage, "sources", schemas.SOURCES)
    compact_parts(storage, "rejects", schemas.REJECTS)
    compact_parts(storage, "timings", schemas.TIMINGS)


def batch_size_of(config: Config, gpus: float) -> int:
    """Images per forward pass on a cluster of `gpus` GPUs."""
    return config.extract.batch_size or (BATCH_GPU if gpus else BATCH_CPU)


def _images(todo: pa.Table, networks: Sequence[PreparedNetwork]) -> list[int]:
    """How many images of each artwork, itself and copies, some space lacks."""
    masks = (np.frombuffer(need, dtype=np.uint8) for need in todo["need"].to_pylist())
    return [int(mask.reshape(-1, len(networks)).any(axis=1).sum()) for mask in masks]


def _pools(
    config: Config,
    networks: Sequence[PreparedNetwork],
    resources: Mapping[str, float],
    batches: int,
) -> tuple[Pool, ...]:
    pools = plan_pools(
        {each.space.encoder: each.weight_bytes for each in networks},
        cpus=resources.get("CPU", 1.0),
        gpus=resources.get("GPU", 0.0),
        memory=resources.get("memory", 0.0),
        cores=os.cpu_count() or 1,
        batches=batches,
        setting=config.extract.placement,
    )
    for pool in pools:
        log.info(
            "extract: %s: %s actor(s) of %s thread(s)",
            ", ".join(pool.backbones),
            pool.actors,
            pool.threads,
        )
    return pools


def _run_pipeline(
    config: Config,
    storage: Storage,
    todo: pa.Table,
    networks: Sequence[PreparedNetwork],
    orphans: dict[str, bytes],
    missing: int,
) -> tuple[float, float, tuple[Pool, ...]]:
    """Returns start-up seconds, vectors per second after that, and the pools."""
    started = time.monotonic()
    resources = ray.cluster_resources()
    batch_size = batch_size_of(config, resources.get("GPU", 0.0))
    images = _images(todo, networks)
    pools = _pools(config, networks, resources, math.ceil(sum(images) / batch_size))
    counter = RemoteCounter.start()
    geometries, columns = _geometries(networks)
    settings = DecodeSettings(
        storage=storage,
        images=config.images,
        profiles=config.perturbations.profiles,
        reencode_jpeg=config.perturbations.reencode_jpeg,
        seed=config.seed,
        preprocessings=geometries,
        spaces=len(networks),
        orphans=orphans,
        counter=counter,
    )
    size = _images_per_block(settings, batch_size, sum(images), sum(each.actors for each in pools))
    data = ray.data.from_arrow(list(_blocks(todo, images, size))).map_batches(
        partial(decode_batch, settings=settings),
        batch_size=None,
        batch_format="numpy",
        num_cpus=DECODE_CPUS,
    )
    for number, pool in enumerate(pools):
        drop = columns_done(columns, pools[: number + 1], networks)
        data = _embed(data, pool, networks, columns, drop, batch_size, counter)
    data = data.map_batches(
        partial(write_batch, storage=storage, spaces=[each.space for each in networks]),
        batch_size=config.extract.shard_rows,
        batch_format="numpy",
        num_cpus=WRITE_CPUS,
    )
    with (
        progress("extract", missing, "vectors", config.ray.log_seconds) as advance,
        polled(counter.read, advance),
    ):
        for _ in data.iter_batches(batch_size=None, batch_format="pyarrow"):
            pass
    write_part(storage, "timings", counter.timings(), schemas.TIMINGS)
    pace = counter.pace()
    if pace is None:
        return 0.0, 0.0, pools
    # The counter's clock is another node's: only how long ago something was crosses over.
    startup = time.monotonic() - started - pace.first_ago
    log.info("extract: start-up %s, then %.1f vectors/s", duration(startup), pace.rate)
    return startup, pace.rate, pools


def _embed(
    data: Any,
    pool: Pool,
    networks: Sequence[PreparedNetwork],
    columns: Sequence[str],
    drop: Sequence[str],
    batch_size: int,
    counter: RemoteCounter,
) -> Any:
    members = [
        (position, each)
        for position, each in enumerate(networks)
        if each.space.encoder in pool.backbones
    ]
    return data.map_batches(
        EmbedActor,
        fn_constructor_kwargs={
            "settings": [
                EmbedSettings(
                    position, columns[position], each.space, each.encoder, each.preprocessing
                )
                for position, each in members
            ],
            "weights": [each.weights for _, each in members],
            "device": "cuda" if pool.gpus else "cpu",
            "threads": pool.threads,
            "batch_size": batch_size,
            "drop": drop,
            "counter": counter,
        },
        batch_size=batch_size,
        batch_format="numpy",
        compute=ActorPoolStrategy(size=pool.actors),
        num_cpus=pool.cpus,
        num_gpus=pool.gpus,
        runtime_env={"env_vars": KEEP_MEMORY},
    )


def _geometries(
    networks: Sequence[PreparedNetwork],
) -> tuple[tuple[Preprocessing, ...], list[str]]:
    """One preprocessing per distinct geometry, and each network's pixels column."""
    distinct: dict[Any, Preprocessing] = {}
    for each in networks:
        distinct.setdefault(each.preprocessing.geometry, each.preprocessing)
    order = list(distinct)
    columns = [f"pixels_{order.index(each.preprocessing.geometry)}" for each in networks]
    return tuple(distinct.values()), columns


def columns_done(
    columns: Sequence[str], pools: Sequence[Pool], networks: Sequence[PreparedNetwork]
) -> list[str]:
    """The pixel columns that no pool after `pools` reads."""
    done = {name for pool in pools for name in pool.backbones}
    later = {
        column
        for column, each in zip(columns, networks, strict=True)
        if each.space.encoder not in done
    }
    return sorted(set(columns) - later)


def _images_per_block(settings: DecodeSettings, batch_size: int, images: int, actors: int) -> int:
    """Whole batches of whole artworks, where that fits a block's memory; several blocks an actor,
    as the one with the last block keeps the others waiting."""
    image_bytes = sum(each.crop * each.crop * 3 for each in settings.preprocessings)
    fit = max(1, BLOCK_BYTES // image_bytes)
    even = images // (BLOCKS_PER_ACTOR * actors)
    for unit in (math.lcm(batch_size, 1 + len(settings.profiles)), batch_size):
        if fit >= unit:
            return max(unit, min(fit, even) // unit * unit)
    return fit


def _blocks(todo: pa.Table, images: Sequence[int], images_per_block: int) -> Iterator[pa.Table]:
    start = held = 0
    for row, count in enumerate(images):
        held += count
        if held >= images_per_block:
            yield todo.slice(start, row + 1 - start)
            start, held = row + 1, 0
    if start < todo.num_rows:
        yield todo.slice(start)
