"""The pipeline of one pool in Ray Data:

catalog rows → fetch and decode (tasks) → actors that embed → shards (tasks).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, TaskPoolStrategy

from simsearch import schemas
from simsearch.config import Config
from simsearch.extraction.counter import Pace, RemoteCounter
from simsearch.extraction.decode import DecodeSettings, decode_batch
from simsearch.extraction.embed import Embed, EmbedSettings
from simsearch.extraction.networks import PreparedNetwork
from simsearch.extraction.placement import ActorPool, Device, plan_pools
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.extraction.write import write_batch
from simsearch.images.preprocessing import Preprocessing
from simsearch.images.thumbnails import sizes_of
from simsearch.runtime.cluster import cluster_nodes
from simsearch.runtime.progress import duration
from simsearch.runtime.watchdog import followed
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

BATCH_CPU = 16

# Images per second on an H100 at 128, 256 and 512, bare float16: VGG16 7,943, 7,954, 7,976; ResNet152
# 5,921, 6,344, 6,711; DenseNet201 4,828, 5,588, 5,919. A block of 512 would not fit BLOCK_BYTES.
BATCH_GPU = 256

# Blocks that a GPU actor works on at once, each on a thread: while one's batch computes, Ray Data
# cuts another's batches and stores a third's vectors. Batches handed over by one thread and by two,
# H100, images per second: VGG16 6,154 and 7,622; ResNet152 4,927 and 5,805; DenseNet201 4,556 and
# 5,440. A second actor on the GPU is no help: from memory ResNet152 5,207 with two, 5,658 with one.
CALLS_PER_GPU_ACTOR = 3

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
class Todo:
    """The vectors that are missing.

    `rows` has `artwork_id`, `image_uri`, `etag` and `need`, bytes of 0 and 1: [variants, networks].
    `orphans` maps content hashes that no known source has to a mask like `need` of the vectors that
    are stored for them.
    """

    rows: pa.Table
    orphans: dict[str, bytes]
    networks: tuple[PreparedNetwork, ...]

    def needs(self) -> npt.NDArray[np.uint8]:
        """[artworks, variants, networks]"""
        joined = b"".join(self.rows["need"].to_pylist())
        masks = np.frombuffer(joined, dtype=np.uint8)
        return masks.reshape(self.rows.num_rows, -1, len(self.networks))

    def of(self, encoders: Sequence[str]) -> Todo:
        """What is missing of some encoders' spaces."""
        places = [
            place
            for place, network in enumerate(self.networks)
            if network.space.encoder in encoders
        ]

        def cut(mask: bytes) -> bytes:
            bits = np.frombuffer(mask, dtype=np.uint8).reshape(-1, len(self.networks))
            return bits[:, places].tobytes()

        needs = [cut(need) for need in self.rows["need"].to_pylist()]
        rows = self.rows.set_column(
            self.rows.column_names.index("need"), "need", pa.array(needs, pa.binary())
        )
        return Todo(
            rows.filter(pa.array([any(need) for need in needs], pa.bool_())),
            {content: cut(mask) for content, mask in self.orphans.items()},
            tuple(self.networks[place] for place in places),
        )


class EmbedActor(Embed):
    """An `Embed` in an actor, its weights read from the root or, where they are there already, from a
    folder of the node."""

    def __init__(self, *, weights: Sequence[StoredWeights], **settings: Any) -> None:
        super().__init__(weights=[stored.load() for stored in weights], **settings)


def run_pools(
    config: Config, storage: Storage, todo: Todo, device: Device
) -> tuple[tuple[ActorPool, ...], list[Pace]]:
    """Compute what is missing; returns the pools that did, and how fast each was."""
    needs = todo.needs()
    lacking: list[bool] = np.asarray(needs.any(axis=(0, 1))).tolist()
    pools = plan_pools(
        {
            network.space.encoder: network.weights.size
            for network, lacks in zip(todo.networks, lacking, strict=True)
            if lacks
        },
        cluster_nodes(),
        device=device,
        vectors=int(needs.sum()),
        least=config.extract.min_actors,
        most=config.extract.max_actors,
    )
    paces = []
    for number, pool in enumerate(pools, start=1):
        step = "extract" if len(pools) == 1 else f"extract {number} of {len(pools)}"
        log.info(
            "%s: %s on %s: %s actors to begin with, up to %s, of %s thread(s), each asks for %s",
            step,
            ", ".join(pool.encoders),
            pool.device,
            pool.actors,
            pool.most,
            pool.threads,
            pool.actor,
        )
        pace = _run_pool(config, storage, todo.of(pool.encoders), pool, step)
        if pace is not None:
            paces.append(pace)
    return pools, paces


def batch_size_of(config: Config, device: Device) -> int:
    """Images per forward pass."""
    return config.extract.batch_size or (BATCH_GPU if device == "cuda" else BATCH_CPU)


def _run_pool(
    config: Config, storage: Storage, todo: Todo, pool: ActorPool, step: str
) -> Pace | None:
    """Run the pipeline of one pool; returns its pace, None where every vector was found again or
    rejected and none computed."""
    started = time.monotonic()
    needs = todo.needs()
    counter = RemoteCounter.start(needs.size)
    geometries, columns = _geometries(todo.networks)
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=config.perturbations.profiles,
        preprocessings=geometries,
        spaces=len(todo.networks),
        orphans=todo.orphans,
        counter=counter,
        thumbnails=sizes_of(config.perturbations.side),
    )
    batch_size = batch_size_of(config, pool.device)
    images = [int(count) for count in needs.any(axis=2).sum(axis=1)]
    size = _images_per_block(settings, batch_size, sum(images), pool.actors)
    rows = todo.rows.append_column("row", pa.array(range(todo.rows.num_rows), pa.int64()))
    data = ray.data.from_arrow(list(_blocks(rows, images, size))).map_batches(
        partial(decode_batch, settings=settings),
        batch_size=None,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.decoders),
        num_cpus=pool.task.cpus,
    )
    data = _embed(data, pool, todo.networks, columns, batch_size, counter)
    data = data.map_batches(
        partial(
            write_batch,
            storage=storage,
            spaces=[network.space for network in todo.networks],
            counter=counter,
        ),
        batch_size=config.extract.shard_rows,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.writers),
        num_cpus=pool.task.cpus,
    )

    def consume() -> None:
        for _ in data.iter_batches(batch_size=None, batch_format="pyarrow"):
            pass

    followed(step, int(needs.sum()), "vectors", config.ray, consume, counter.read)
    write_part(storage, "timings", counter.timings(), schemas.TIMINGS)
    pace = counter.pace()
    if pace is None:
        return None
    # The counter's clock is another node's: only how long ago something was crosses over.
    startup = time.monotonic() - started - pace.first_ago
    log.info("%s: start-up %s, then %.1f vectors/s", step, duration(startup), pace.rate)
    return Pace(pace.first, pace.all, pace.first_ago, pace.last_ago, startup)


def _embed(
    data: Any,
    pool: ActorPool,
    networks: Sequence[PreparedNetwork],
    columns: Sequence[str],
    batch_size: int,
    counter: RemoteCounter,
) -> Any:
    return data.map_batches(
        EmbedActor,
        fn_constructor_kwargs={
            "settings": [
                EmbedSettings(
                    place, columns[place], network.space, network.encoder, network.preprocessing
                )
                for place, network in enumerate(networks)
            ],
            "weights": [network.weights for network in networks],
            "device": pool.device,
            "threads": pool.threads,
            "batch_size": batch_size,
            "drop": sorted(set(columns)),
            "counter": counter,
        },
        batch_size=batch_size,
        batch_format="numpy",
        compute=_strategy(pool),
        runtime_env={"env_vars": KEEP_MEMORY},
        **pool.actor.options(),
    )


def _strategy(pool: ActorPool) -> ActorPoolStrategy:
    on_gpu = pool.device == "cuda"
    return ActorPoolStrategy(
        min_size=pool.least,
        max_size=pool.most,
        initial_size=pool.actors,
        max_concurrent_calls_per_actor=CALLS_PER_GPU_ACTOR if on_gpu else None,
        enable_true_multi_threading=on_gpu,
    )


def _geometries(
    networks: Sequence[PreparedNetwork],
) -> tuple[tuple[Preprocessing, ...], list[str]]:
    """One preprocessing per distinct geometry, and each network's pixels column."""
    distinct: dict[Any, Preprocessing] = {}
    for network in networks:
        distinct.setdefault(network.preprocessing.geometry, network.preprocessing)
    order = list(distinct)
    columns = [f"pixels_{order.index(network.preprocessing.geometry)}" for network in networks]
    return tuple(distinct.values()), columns


def _images_per_block(settings: DecodeSettings, batch_size: int, images: int, actors: int) -> int:
    """How many images a block has: whole batches of whole artworks, where they fit a block's memory,
    and so few that each actor gets several blocks, because the actor with the last block keeps the
    others waiting."""
    image_bytes = sum(
        preprocessing.crop * preprocessing.crop * 3 for preprocessing in settings.preprocessings
    )
    fit = max(1, BLOCK_BYTES // image_bytes)
    even = images // (BLOCKS_PER_ACTOR * actors)
    for unit in (math.lcm(batch_size, 1 + len(settings.profiles)), batch_size):
        if fit >= unit:
            return max(unit, min(fit, even) // unit * unit)
    return fit


def _blocks(rows: pa.Table, images: Sequence[int], images_per_block: int) -> Iterator[pa.Table]:
    """Cut `rows` into blocks of whole artworks with at most `images_per_block` images each: a few more
    images than whole batches would cost a forward pass of their own."""
    start = held = 0
    for row, count in enumerate(images):
        if held and held + count > images_per_block:
            yield rows.slice(start, row - start)
            start, held = row, 0
        held += count
    if start < rows.num_rows:
        yield rows.slice(start)
