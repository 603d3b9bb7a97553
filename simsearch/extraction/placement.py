"""The actors of a run: which networks share one, the resources of each, and their number. Pure.

Only one pool of actors runs at a time. With two in a row, actors of the first pool that restart after a
loss could take the last CPUs or GPUs and then wait for ever for the second pool.
`simsearch.runtime.resources` says why one pool and its tasks always find room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from simsearch.runtime.resources import (
    ACTOR_ON_CPU,
    ACTOR_ON_GPU,
    TASK_BESIDE_CPU_ACTORS,
    TASK_BESIDE_GPU_ACTORS,
    Node,
    Request,
    count_fitting,
)

Device = Literal["cpu", "cuda"]

# More threads than this gain little in a forward pass.
THREADS_PER_ACTOR = 4
THREADS_BESIDE_GPU = 2
# Memory of an actor beside the weights: PyTorch, a batch and a layer's output. With VGG16, ResNet152 and
# DenseNet201, 0.86 GB of weights, an actor had 1.3 GB of its own in bfloat16 and 1.7 in float32.
ACTOR_BYTES = 2**30
# Memory of a write task, or of a decode task with its decoding process. Their blocks are up to 48 MiB.
TASK_BYTES = 2**29
LEAST_TASKS = 4  # lowest limit for tasks of a kind at once, however small the cluster is now
# Fewest vectors per actor. An actor with fewer takes longer to start (ten seconds of a core, mostly
# PyTorch's import) than to make them: with the study's networks a core makes some 20 vectors a second,
# with small ones 100, and a GPU thousands.
VECTORS_PER_ACTOR: Mapping[Device, int] = {"cpu": 128, "cuda": 4096}
# Networks with no more bytes of weights than this are small. For a few vectors of small networks, the
# start of actors takes longer than they save.
SMALL_NETWORKS = 32 * 2**20  # bytes of weights: SqueezeNet, EfficientNet-Lite0, a distilled SSCD
VECTORS_OF_SMALL_NETWORKS = 512


@dataclass(frozen=True)
class ActorPool:
    """Actors that each run all of `encoders`, one after the other, on every batch.

    At first there are `actors`, then from `least` to `most` as nodes join and leave. Each asks for the
    resources `actor`, and each decode and write task beside it for `task`. At most `decoders` and
    `writers` of these tasks run at once (None: as many as find room).
    """

    encoders: tuple[str, ...]
    device: Device
    actors: int
    least: int
    most: int
    threads: int
    actor: Request
    task: Request
    decoders: int | None
    writers: int


def plan_pools(
    weight_bytes: Mapping[str, int],
    nodes: Sequence[Node],
    *,
    device: Device,
    vectors: int,
    least: int = 1,
    most: int | None = None,
) -> tuple[ActorPool, ...]:
    """The pools for the networks in `weight_bytes`, to be run one after the other. There are several if no
    node has the memory for all networks in one actor.

    `nodes` are the present ones, `vectors` is the number that all networks have to make. `least` and
    `most` bound the actors of a pool (None: as many as have work).
    """
    usable = [node for node in nodes if _has(node, device)]
    roomiest = max((node.memory for node in usable), default=0.0)
    return tuple(
        _pool(group, weight_bytes, nodes, usable, roomiest, device, vectors, least, most)
        for group in _groups(weight_bytes, roomiest)
    )


def are_too_few_for_actors(weight_bytes: int, vectors: int) -> bool:
    """Whether a number of vectors, of networks with so many bytes of weights, is made on CPUs before
    actors would have started."""
    if weight_bytes <= SMALL_NETWORKS:
        return vectors <= VECTORS_OF_SMALL_NETWORKS
    return vectors <= VECTORS_PER_ACTOR["cpu"]


def _has(node: Node, device: Device) -> bool:
    return node.gpus >= ACTOR_ON_GPU.gpus if device == "cuda" else node.cpus >= 1


def _groups(weight_bytes: Mapping[str, int], roomiest: float) -> list[tuple[str, ...]]:
    """The networks in order, in groups that fit the memory of the roomiest node (0: unknown)."""
    groups: list[tuple[str, ...]] = []
    for name in weight_bytes:
        joined = (*groups[-1], name) if groups else (name,)
        if groups and roomiest and _actor_bytes(joined, weight_bytes) > roomiest:
            groups.append((name,))
        else:
            groups[-1:] = [joined]
    return groups


def _actor_bytes(group: Sequence[str], weight_bytes: Mapping[str, int]) -> int:
    return ACTOR_BYTES + 2 * sum(weight_bytes[name] for name in group)


def _pool(
    group: tuple[str, ...],
    weight_bytes: Mapping[str, int],
    all_nodes: Sequence[Node],
    nodes: Sequence[Node],
    roomiest: float,
    device: Device,
    vectors: int,
    least: int,
    most: int | None,
) -> ActorPool:
    """The pool of a group. `nodes` are those of `all_nodes` that can have an actor; the others decode and
    write."""
    memory = _actor_bytes(group, weight_bytes)
    if nodes:
        # No more than the roomiest node has, and nothing if nodes do not state their memory.
        memory = min(memory, int(roomiest))
    actor = replace(ACTOR_ON_GPU if device == "cuda" else ACTOR_ON_CPU, memory=memory)
    busy = max(1, vectors // VECTORS_PER_ACTOR[device])
    most = min(busy, most or busy)
    least = min(least, most)
    decoders, writers = _task_limits(all_nodes, actor, device)
    fitting = sum(count_fitting(actor, node) for node in nodes)
    return ActorPool(
        encoders=group,
        device=device,
        actors=max(least, min(fitting, most)),
        least=least,
        most=most,
        threads=_threads(actor, nodes, device),
        actor=actor,
        task=TASK_BESIDE_GPU_ACTORS if device == "cuda" else TASK_BESIDE_CPU_ACTORS,
        decoders=decoders,
        writers=writers,
    )


def _task_limits(nodes: Sequence[Node], actor: Request, device: Device) -> tuple[int | None, int]:
    """The largest numbers of decode and of write tasks that run at once.

    Ray Data reserves resources for each stage, up to what the stage's tasks may ask for at once, and
    takes back actors that no longer fit: without limits a third of the CPUs.

    Beside actors on CPUs, one decode task for each feeds it many times over (875 images/s against VGG16's
    22), so the limit also suffices when nodes join later. If memory has no room for an actor on each CPU,
    there is no room for as many tasks either.

    Actors on GPUs need all images that the CPUs decode. Beside them there are as many tasks as find room
    on the CPUs, or fewer if memory is short.
    """
    if device == "cpu":
        able = [node for node in nodes if _has(node, device)]
        tasks = max(LEAST_TASKS, sum(count_fitting(actor, node) for node in able))
        return tasks, tasks
    writers = max(LEAST_TASKS, int(sum(node.cpus for node in nodes if _has(node, device))) // 16)
    by_cpus = sum(int(node.cpus / TASK_BESIDE_GPU_ACTORS.cpus) for node in nodes)
    by_memory = sum(_tasks_in_memory(node, actor) for node in nodes)
    decoders = max(LEAST_TASKS, by_memory - writers) if by_memory < by_cpus else None
    return decoders, writers


def _tasks_in_memory(node: Node, actor: Request) -> int:
    """The number of tasks for which a node has memory beside its actors. For a node that does not state its
    memory, the number of tasks for which it has CPUs."""
    by_cpus = int(node.cpus / TASK_BESIDE_GPU_ACTORS.cpus)
    if not node.memory:
        return by_cpus
    left = node.memory - count_fitting(actor, node) * actor.memory
    return min(by_cpus, int(left // TASK_BYTES))


def _threads(actor: Request, nodes: Sequence[Node], device: Device) -> int:
    """The number of an actor's threads: on CPUs one, if memory has room for an actor on each CPU. Threads
    of one forward pass wait for each other after every layer, so an interruption of one stops all.

    The number does not depend on the amount of work: with another number of threads VGG16's float32
    vectors differ in the last bit.
    """
    if device == "cuda":
        return THREADS_BESIDE_GPU
    shares = [
        int(node.cpus) // actors for node in nodes if (actors := count_fitting(actor, node)) > 0
    ]
    return max(1, min(THREADS_PER_ACTOR, *shares)) if shares else 1
