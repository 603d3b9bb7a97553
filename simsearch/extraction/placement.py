"""Which backbones share an actor pool, and what each pool gets of the cluster.

Two rules come from trials: a chain of pools that each ask for a whole CPU never starts on a machine
with fewer CPUs than pools, and Ray hangs on GPU fractions other than 1, 1/2 and 1/4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DECODE_CPUS = 0.5
WRITE_CPUS = 0.25
# A forward pass gains little from more threads than this.
THREADS_PER_ACTOR = 4
# Beside the weights: PyTorch, a batch and a layer's output for it. With VGG16, ResNet152 and
# DenseNet201, 0.86 GB of weights, an actor had 1.3 GB of its own in bfloat16 and 1.7 in float32.
ACTOR_BYTES = 2**30
BATCHES_PER_ACTOR = 2  # one with less to do takes longer to start than to do it


@dataclass(frozen=True)
class Pool:
    """`actors` processes, each running all of `backbones` one after the other on every batch."""

    backbones: tuple[str, ...]
    actors: int
    cpus: float
    gpus: float
    threads: int


def plan_pools(
    weight_bytes: Mapping[str, int],
    *,
    cpus: float,
    gpus: float,
    memory: float,
    cores: int,
    batches: int,
    setting: Literal["auto", "per-backbone", "fused"],
) -> tuple[Pool, ...]:
    """Actor pools for the backbones in `weight_bytes` that start together on a cluster of `cpus`
    logical CPUs, `gpus` GPUs and `memory` bytes, to make `batches` forward passes of each backbone.

    `cores` are the physical cores of one node: they bound the threads of one actor. The pools
    always leave room for a decode and a write task.

    On CPUs an actor has one thread where memory has room for an actor on each. Threads of one
    forward pass wait for each other after every layer, so whatever interrupts one stops all.
    """
    backbones = tuple(weight_bytes)
    if gpus >= 1:
        return _gpu_pools(backbones, int(gpus), cores, setting)
    usable = cpus - DECODE_CPUS - WRITE_CPUS
    per_backbone = setting == "per-backbone" or (setting == "auto" and usable >= 2 * len(backbones))
    groups = [(name,) for name in backbones] if per_backbone else [backbones]
    share = max(1, int(cpus) // len(groups))
    pools = []
    for group in groups:
        room = memory / len(groups) / (ACTOR_BYTES + 2 * sum(weight_bytes[each] for each in group))
        most = max(1, min(share, int(room)))
        # Whatever `batches` is: with other threads VGG16's float32 vectors differ in the last bit.
        threads = min(THREADS_PER_ACTOR, cores, share // most)
        actors = max(1, min(most, batches // BATCHES_PER_ACTOR))
        # Half of what they use: the tasks around them find room, and the system shares the cores.
        requested = 0.5 * usable / len(groups) / actors
        pools.append(Pool(group, actors, max(0.01, round(requested, 2)), 0.0, threads))
    return tuple(pools)


def _gpu_pools(
    backbones: tuple[str, ...],
    gpus: int,
    cores: int,
    setting: Literal["auto", "per-backbone", "fused"],
) -> tuple[Pool, ...]:
    per_backbone = setting == "per-backbone" or (setting == "auto" and gpus >= len(backbones))
    if not per_backbone:
        return (Pool(backbones, gpus, 1.0, 1.0, min(2, cores)),)
    if gpus >= len(backbones):
        return tuple(
            Pool((name,), gpus // len(backbones), 1.0, 1.0, min(2, cores)) for name in backbones
        )
    fraction = 0.5 if 2 * gpus >= len(backbones) else 0.25
    if gpus / fraction < len(backbones):
        return (Pool(backbones, gpus, 1.0, 1.0, min(2, cores)),)
    return tuple(Pool((name,), 1, 0.5, fraction, 1) for name in backbones)
