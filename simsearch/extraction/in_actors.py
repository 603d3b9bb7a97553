"""The stages of an extraction over a cluster, in Ray Data:

catalog rows → fetch and decode (tasks) → actors that embed → shards (tasks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.data import ActorPoolStrategy, TaskPoolStrategy
from ray.data.block import BlockAccessor

from simsearch.extraction.batches import Batch
from simsearch.extraction.gathering import count_images, cut, gather, join
from simsearch.extraction.placement import ActorPool
from simsearch.extraction.stages import Stages, StoredEmbed
from simsearch.runtime.ray_data import set_up_ray_data
from simsearch.runtime.resources import ENDLESS

# Blocks on which a GPU actor works at once, each on a thread. While a batch of one block computes, Ray
# Data cuts batches of another and stores vectors of a third. Images per second on an H100, with batches
# from one thread and from two: VGG16 6,154 and 7,622; ResNet152 4,927 and 5,805; DenseNet201 4,556 and
# 5,440. A second actor on the GPU does not help: ResNet152, fed from memory, made 5,207 with two actors
# and 5,658 with one.
CALLS_PER_GPU_ACTOR = 3

# glibc returns the memory of a layer's output to the system and gets it back, zeroed, for the next batch.
# With the memory kept, forward passes on a CPU ran 1.14 (VGG16) to 1.4 times (DenseNet201) faster. One
# arena only, because others map memory above 64 MiB anew. See mallopt(3).
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


def run_in_actors(stages: Stages, pool: ActorPool) -> None:
    """Run the stages over the cluster, with the pool's actors."""
    set_up_ray_data()
    data: Any = ray.data.from_arrow(stages.blocks)
    data = data.map_batches(
        stages.decode,
        batch_size=None,
        batch_format="numpy",
        compute=TaskPoolStrategy(pool.decoders),
        num_cpus=pool.task.cpus,
    )
    _write_blocks(embed_blocks(data, stages.embed, pool), stages, pool)


def _write_blocks(data: Any, stages: Stages, pool: ActorPool) -> None:
    """Write the vectors of the dataset `data` while it is computed. Ray Data itself would wait until a
    shard is full, however long that takes."""
    task = _write.options(num_cpus=pool.task.cpus, max_retries=ENDLESS)
    write = ray.put(stages.write)
    bundles = data.iter_internal_ref_bundles()  # references: the vectors do not pass through here
    pending: list[Any] = []
    for group in gather(bundles, lambda bundle: bundle.num_rows(), stages.shard_rows):
        blocks = [block for bundle in group for block in bundle.block_refs]
        pending.append(task.remote(write, stages.shard_rows, *blocks))
        while len(pending) >= pool.writers:
            (done,), pending = ray.wait(pending)
            ray.get(done)
    ray.get(pending)


@ray.remote
def _write(write: Callable[[Batch], Batch], shard_rows: int, *blocks: Any) -> None:
    """Write the vectors of `blocks` to shards of up to `shard_rows` images."""
    batches = [BlockAccessor.for_block(block).to_batch_format("numpy") for block in blocks]
    filled = [batch for batch in batches if batch and count_images(batch)]
    for shard in cut(join(filled), shard_rows) if filled else ():
        write(shard)


def embed_blocks(data: Any, arguments: Mapping[str, Any], pool: ActorPool) -> Any:
    """The dataset `data` of decoded images, embedded by the pool's actors. `arguments` are those of a
    `StoredEmbed`."""
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
