"""The stages of an extraction over a cluster, one pool at a time, in Ray Data:

catalog rows → fetch and decode (tasks) → actors that embed → shards (tasks).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import ray
from ray.data import ActorPoolStrategy, TaskPoolStrategy

from simsearch import schemas
from simsearch.config import Config
from simsearch.extraction.counter import LocalCounter, Pace, RemoteCounter
from simsearch.extraction.in_process import run_in_process
from simsearch.extraction.placement import ActorPool, Device, plan_pools, too_few_for_actors
from simsearch.extraction.stages import Stages, StoredEmbed, Todo, pool_stages
from simsearch.runtime.cluster import cluster_nodes
from simsearch.runtime.progress import duration
from simsearch.runtime.watchdog import followed
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

# Blocks that a GPU actor works on at once, each on a thread: while one's batch computes, Ray Data
# cuts another's batches and stores a third's vectors. Batches handed over by one thread and by two,
# H100, images per second: VGG16 6,154 and 7,622; ResNet152 4,927 and 5,805; DenseNet201 4,556 and
# 5,440. A second actor on the GPU is no help: from memory ResNet152 5,207 with two, 5,658 with one.
CALLS_PER_GPU_ACTOR = 3

# glibc gives a layer's output back to the system and asks for it again, zeroed, at the next batch;
# kept instead, forward passes on a CPU ran 1.14 (VGG16) to 1.4 times (DenseNet201) faster. One
# arena, because others map what is larger than 64 MiB anew. See mallopt(3).
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


def run_pools(
    config: Config, storage: Storage, todo: Todo, device: Device
) -> tuple[tuple[ActorPool, ...], list[Pace]]:
    """Compute what is missing; returns the pools that did, and how fast each was."""
    needs = todo.needs
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
        pace = _run_pool(config, storage, todo.of(pool.encoders), pool, step)
        if pace is not None:
            paces.append(pace)
    return pools, paces


def _run_pool(
    config: Config, storage: Storage, todo: Todo, pool: ActorPool, step: str
) -> Pace | None:
    """Run the stages of one pool; returns its pace, None where every vector was found again or
    rejected and none computed."""
    started = time.monotonic()
    needs = todo.needs
    weight_bytes = sum(network.weights.size for network in todo.networks)
    in_process = (
        pool.device == "cpu"
        and config.ray.cluster is None
        and too_few_for_actors(weight_bytes, int(needs.sum()))
    )
    log.info("%s: %s", step, _how(pool, in_process=in_process))
    counter = LocalCounter(needs.size) if in_process else RemoteCounter.start(needs.size)
    stages = pool_stages(config, storage, todo, pool, counter)
    work = partial(run_in_process, stages) if in_process else partial(_run_in_actors, stages, pool)
    followed(step, int(needs.sum()), "vectors", config.ray, work, counter.read)
    write_part(storage, "timings", counter.timings(), schemas.TIMINGS)
    pace = counter.pace()
    if pace is None:
        return None
    # The counter's clock is another node's: only how long ago something was crosses over.
    startup = time.monotonic() - started - pace.first_ago
    log.info("%s: start-up %s, then %.1f vectors/s", step, duration(startup), pace.rate)
    return Pace(pace.first, pace.all, pace.first_ago, pace.last_ago, startup)


def _how(pool: ActorPool, *, in_process: bool) -> str:
    names = ", ".join(pool.encoders)
    if in_process:
        return f"{names} in this process: too few vectors for actors, which take longer to start"
    actors = "1 actor" if pool.actors == 1 else f"{pool.actors} actors"
    threads = "1 thread" if pool.threads == 1 else f"{pool.threads} threads"
    more = f", up to {pool.most} as nodes join," if pool.most > pool.actors else ""
    return f"{names} on {pool.device}: {actors}{more} of {threads}, each asks for {pool.actor}"


def _run_in_actors(stages: Stages, pool: ActorPool) -> None:
    data: Any = ray.data.from_arrow(stages.blocks)
    data = data.map_batches(
        stages.decode,
        batch_size=None,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.decoders),
        num_cpus=pool.task.cpus,
    )
    data = embedded(data, stages.embed, pool).map_batches(
        stages.write,
        batch_size=stages.shard_rows,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.writers),
        num_cpus=pool.task.cpus,
    )
    for _ in data.iter_batches(batch_size=None, batch_format="pyarrow"):
        pass


def embedded(data: Any, arguments: Mapping[str, Any], pool: ActorPool) -> Any:
    """The dataset `data` of decoded images, embedded by the pool's actors; the `arguments` are those
    of a `StoredEmbed`."""
    return data.map_batches(
        StoredEmbed,
        fn_constructor_kwargs=dict(arguments),
        batch_size=arguments["batch_size"],
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
