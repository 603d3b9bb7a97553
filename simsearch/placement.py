"""Which backbones share an actor pool, and what each pool gets of the cluster.

Two rules come from trials: a chain of pools that each ask for a whole CPU never starts on a machine
with fewer CPUs than pools, and Ray hangs on GPU fractions other than 1, 1/2 and 1/4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

DECODE_CPUS = 0.5
WRITE_CPUS = 0.25
# A forward pass gains little from more threads than this; more actors gain more.
THREADS_PER_ACTOR = 4


@dataclass(frozen=True)
class Pool:
    """`actors` processes, each running all of `backbones` one after the other on every batch."""

    backbones: tuple[str, ...]
    actors: int
    cpus: float
    gpus: float
    threads: int


def plan_pools(
    backbones: Sequence[str],
    *,
    cpus: float,
    gpus: float,
    cores: int,
    setting: Literal["auto", "per-backbone", "fused"],
) -> tuple[Pool, ...]:
    """Actor pools that start together on a cluster of `cpus` logical CPUs and `gpus` GPUs.

    `cores` are the physical cores of one node: they bound the threads of one actor. The pools
    always leave room for a decode and a write task.
    """
    if gpus >= 1:
        return _gpu_pools(tuple(backbones), int(gpus), cores, setting)
    usable = cpus - DECODE_CPUS - WRITE_CPUS
    pools = len(backbones)
    per_backbone = setting == "per-backbone" or (setting == "auto" and usable >= 2 * pools)
    groups = [(name,) for name in backbones] if per_backbone else [tuple(backbones)]
    share = usable / len(groups)
    threads = max(1, min(THREADS_PER_ACTOR, cores, int(cpus) // len(groups)))
    actors = max(1, int(share // threads))
    # Fractions, so that the tasks around the pools find room on a small machine.
    requested = min(float(threads), max(0.05, share * 0.5)) if actors == 1 else float(threads)
    return tuple(Pool(group, actors, round(requested, 2), 0.0, threads) for group in groups)


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
