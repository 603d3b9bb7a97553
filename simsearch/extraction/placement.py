"""Which networks share an actor, what it asks for, and how many of them a cluster gets. Pure.

One pool of actors at a time: with two in a row, the first pool's actors, restarted after a loss, can
take the last CPUs or GPUs and then wait for ever for the second's. `simsearch.runtime.resources` says
why one pool and the tasks around it always find room.
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
    how_many_fit,
)

Device = Literal["cpu", "cuda"]

# A forward pass gains little from more threads than this.
THREADS_PER_ACTOR = 4
THREADS_BESIDE_GPU = 2
# Beside the weights: PyTorch, a batch and a layer's output for it. With VGG16, ResNet152 and
# DenseNet201, 0.86 GB of weights, an actor had 1.3 GB of its own in bfloat16 and 1.7 in float32.
ACTOR_BYTES = 2**30
# A decode task with the process that it decodes in, or a write task. Their blocks are up to 48 MiB.
TASK_BYTES = 2**29
LEAST_TASKS = 4  # of a kind at once, however small the cluster is when it is looked at
# One with less to do takes longer to start (ten seconds of a core, PyTorch's import most of all) than
# to do it: of the study's networks a core makes some 20 vectors a second, of small ones 100, and a GPU
# thousands.
VECTORS_PER_ACTOR: Mapping[Device, int] = {"cpu": 128, "cuda": 4096}
# Where small networks have less to do than this, the start of actors takes longer than they save.
SMALL_NETWORKS = 32 * 2**20  # bytes of weights: SqueezeNet, EfficientNet-Lite0, a distilled SSCD
VECTORS_OF_SMALL_NETWORKS = 512


@dataclass(frozen=True)
class ActorPool:
    """Actors that each run all of `encoders`, one after the other, on every batch.

    `actors` to begin with, then from `least` to `most` as nodes join and leave. Each asks for
    `actor`, each decode and write task beside it for `task`; at most `decoders` and `writers` of
    those run at once (None: as many as find room).
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
    """The pools that embed with the networks in `weight_bytes`, to be run one after the other: one,
    or several where no node has the memory for all networks in one actor.

    `nodes` are those there are now, `vectors` how many all networks have to make; `least` and `most`
    bound the actors of a pool (None: as many as have something to do).
    """
    usable = [node for node in nodes if _has(node, device)]
    roomiest = max((node.memory for node in usable), default=0.0)
    return tuple(
        _pool(group, weight_bytes, nodes, usable, roomiest, device, vectors, least, most)
        for group in _groups(weight_bytes, roomiest)
    )


def too_few_for_actors(weight_bytes: int, vectors: int) -> bool:
    """Whether so many vectors of networks with so many bytes of weights are made on CPUs sooner than
    actors start."""
    if weight_bytes <= SMALL_NETWORKS:
        return vectors <= VECTORS_OF_SMALL_NETWORKS
    return vectors <= VECTORS_PER_ACTOR["cpu"]


def _has(node: Node, device: Device) -> bool:
    return node.gpus >= ACTOR_ON_GPU.gpus if device == "cuda" else node.cpus >= 1


def _groups(weight_bytes: Mapping[str, int], roomiest: float) -> list[tuple[str, ...]]:
    """The networks in their order, as many together as fit the roomiest node's memory (0: unknown)."""
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
    """`nodes` are those of `all_nodes` that can have an actor; the others decode and write."""
    memory = _actor_bytes(group, weight_bytes)
    if nodes:
        # No more than the roomiest node has, and nothing where nodes say nothing of their memory.
        memory = min(memory, int(roomiest))
    actor = replace(ACTOR_ON_GPU if device == "cuda" else ACTOR_ON_CPU, memory=memory)
    busy = max(1, vectors // VECTORS_PER_ACTOR[device])
    most = min(busy, most or busy)
    least = min(least, most)
    decoders, writers = _task_limits(all_nodes, actor, device)
    fitting = sum(how_many_fit(actor, node) for node in nodes)
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
    """How many decode and how many write tasks run at once, at most.

    Ray Data sets resources aside for each stage, up to what its tasks may ask for at once, and
    takes back actors that are above the rest: without limits a third of the CPUs.

    Beside actors on CPUs one decoding task for each feeds them many times over (875 images/s against
    VGG16's 22), so that the limit also does where nodes join later. Where memory has no room for an
    actor on each CPU, it has none for as many tasks either.

    Beside actors on GPUs, which want all images that CPUs decode, tasks are as many as find room on
    the CPUs, and fewer where memory does not hold these.
    """
    if device == "cpu":
        able = [node for node in nodes if _has(node, device)]
        tasks = max(LEAST_TASKS, sum(how_many_fit(actor, node) for node in able))
        return tasks, tasks
    writers = max(LEAST_TASKS, int(sum(node.cpus for node in nodes if _has(node, device))) // 16)
    by_cpus = sum(int(node.cpus / TASK_BESIDE_GPU_ACTORS.cpus) for node in nodes)
    by_memory = sum(_tasks_in_memory(node, actor) for node in nodes)
    decoders = max(LEAST_TASKS, by_memory - writers) if by_memory < by_cpus else None
    return decoders, writers


def _tasks_in_memory(node: Node, actor: Request) -> int:
    """How many tasks the memory of a node holds beside its actors; as many as its CPUs take where it does
    not say how much it has."""
    by_cpus = int(node.cpus / TASK_BESIDE_GPU_ACTORS.cpus)
    if not node.memory:
        return by_cpus
    left = node.memory - how_many_fit(actor, node) * actor.memory
    return min(by_cpus, int(left // TASK_BYTES))


def _threads(actor: Request, nodes: Sequence[Node], device: Device) -> int:
    """How many threads an actor has: on CPUs one, where memory has room for an actor on each CPU.
    Threads of one forward pass wait for each other after every layer, so that whatever interrupts
    one of them stops all.

    The number does not depend on how much there is to do: with another one VGG16's float32 vectors
    differ in the last bit.
    """
    if device == "cuda":
        return THREADS_BESIDE_GPU
    shares = [
        int(node.cpus) // actors for node in nodes if (actors := how_many_fit(actor, node)) > 0
    ]
    return max(1, min(THREADS_PER_ACTOR, *shares)) if shares else 1
