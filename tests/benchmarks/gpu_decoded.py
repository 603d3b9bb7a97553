"""Extraction with decoding left out: pixels that are there already, through the rest of the pipeline."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import ray
from ray.data import TaskPoolStrategy

from simsearch import schemas
from simsearch.extraction import in_actors, stages
from simsearch.extraction.batches import Batch
from simsearch.extraction.counter import RemoteCounter
from simsearch.extraction.networks import PreparedNetwork, prepare_networks
from simsearch.extraction.placement import ActorPool, plan_pools
from simsearch.extraction.write import write_batch
from simsearch.runtime.cluster import cluster_nodes
from simsearch.runtime.ray_data import set_up_ray_data
from simsearch.runtime.ray_session import ray_session
from simsearch.settings.config import Config
from simsearch.snapshots.root import open_root
from simsearch.storage.storage import root_of
from tests.benchmarks.extracting import settings


@dataclass(frozen=True)
class Decoded:
    """`rate` is of vectors over all networks, once the first batch was out."""

    rate: float
    startup: float
    images: int
    actors: int
    batch_size: int


@dataclass(frozen=True)
class Way:
    """How GPU actors are set up; None: as extraction has it."""

    actors: int | None = None
    calls: int | None = None  # blocks that an actor works on at once


def decoded_rates(
    networks: Sequence[str], folder: Path, vectors: float, ways: Sequence[Way] = (Way(),)
) -> list[Decoded]:
    """Embed and store about so many vectors in each way. Call it in a process of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    config = settings(folder, folder / "root", networks)
    open_root(root_of(config))
    measured = []
    with ray_session(config.ray):
        prepared = prepare_networks(config, "cuda", schemas.CATALOG.empty_table())
        for way in ways:
            measured.append(_measured(config, prepared, vectors / len(networks), way))
            print(f"{', '.join(networks)}: {way}: {measured[-1].rate:.0f} vectors/s", flush=True)
    return measured


def _measured(
    config: Config, prepared: Sequence[PreparedNetwork], images: float, way: Way
) -> Decoded:
    if way.calls is not None:
        in_actors.CALLS_PER_GPU_ACTOR = way.calls
    size = stages.batch_size_of(config.extract, "cuda")
    (pool,) = plan_pools(
        {network.space.encoder: network.weights.size for network in prepared},
        cluster_nodes(),
        device="cuda",
        vectors=round(images * len(prepared)),
    )
    if way.actors is not None:
        share = replace(pool.actor, gpus=pool.actor.gpus / way.actors)
        pool = replace(pool, actors=way.actors, most=way.actors, actor=share)
    crop = prepared[0].preprocessing.crop
    per_block = max(1, stages.BLOCK_BYTES // (crop * crop * 3) // size) * size
    blocks = math.ceil(images / per_block)
    started = time.monotonic()
    counter = RemoteCounter.start(blocks * per_block * len(prepared))
    _run(config, prepared, pool, size, per_block, blocks, counter)
    pace = counter.pace()
    assert pace is not None
    startup = time.monotonic() - started - pace.first_ago
    return Decoded(pace.rate, startup, blocks * per_block, pool.actors, size)


def _run(
    config: Config,
    prepared: Sequence[PreparedNetwork],
    pool: ActorPool,
    batch_size: int,
    per_block: int,
    blocks: int,
    counter: RemoteCounter,
) -> None:
    geometries, columns = stages._geometries(prepared)
    assert len(geometries) == 1, "networks of one geometry, please"
    set_up_ray_data()
    data = ray.data.range(blocks, override_num_blocks=blocks).map_batches(
        partial(decoded_block, images=per_block, crop=geometries[0].crop, networks=len(prepared)),
        batch_size=None,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.decoders),
        num_cpus=pool.task.cpus,
    )
    arguments = stages.embed_arguments(prepared, columns, pool, batch_size, counter)
    data = in_actors.embed_blocks(data, arguments, pool)
    data = data.map_batches(
        partial(
            write_batch,
            storage=root_of(config),
            spaces=[network.space for network in prepared],
            counter=counter,
        ),
        batch_size=config.extract.shard_rows,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.writers),
        num_cpus=pool.task.cpus,
    )
    for _ in data.iter_batches(batch_size=None, batch_format="pyarrow"):
        pass


def decoded_block(batch: Batch, *, images: int, crop: int, networks: int) -> Batch:
    """A batch as decoding yields it: `images` random images for each row of `batch`."""
    numbers = [number for number in batch["id"] for _ in range(images)]
    count = len(numbers)
    names = np.array([f"{number}-{row}" for row, number in enumerate(numbers)], dtype=str)
    random = np.random.default_rng(int(batch["id"][0]))
    return {
        "image_id": names,
        "artwork_id": names,
        "profile": np.full(count, "", dtype=str),
        "content_hash": names,
        "need": np.ones((count, networks), dtype=bool),
        "place": (int(numbers[0]) * count + np.arange(count, dtype=np.int64)) * networks,
        "pixels_0": np.frombuffer(random.bytes(count * crop * crop * 3), np.uint8).reshape(
            count, crop, crop, 3
        ),
    }
