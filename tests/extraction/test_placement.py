"""Placement: every plan must be able to start on the cluster it was made for."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from simsearch.extraction.placement import DECODE_CPUS, WRITE_CPUS, plan_pools

MIB = 2**20
GIB = 2**30
BACKBONES = {
    "vgg16": 512 * MIB,
    "resnet152": 229 * MIB,
    "densenet201": 77 * MIB,
    "squeezenet1_1": 5 * MIB,
}
Setting = Literal["auto", "per-backbone", "fused"]
settings = st.sampled_from(["auto", "per-backbone", "fused"])


def first(count: int) -> dict[str, int]:
    return dict(list(BACKBONES.items())[:count])


@given(
    cpus=st.integers(1, 512),
    cores=st.integers(1, 64),
    count=st.integers(1, 4),
    setting=settings,
    memory=st.integers(0, 2**42),
    batches=st.integers(1, 10**6),
)
def test_pools_on_cpus_leave_room_to_decode_and_write(
    cpus: int, cores: int, count: int, setting: Setting, memory: int, batches: int
) -> None:
    pools = plan_pools(
        first(count),
        cpus=cpus,
        gpus=0,
        memory=memory,
        cores=cores,
        batches=batches,
        setting=setting,
    )
    assert sorted(name for pool in pools for name in pool.backbones) == sorted(first(count))
    assert sum(pool.actors * pool.cpus for pool in pools) + DECODE_CPUS + WRITE_CPUS <= cpus + 1e-6
    assert sum(pool.actors * pool.threads for pool in pools) <= max(cpus, len(pools))
    assert all(1 <= pool.threads <= cores and pool.cpus > 0 and pool.gpus == 0 for pool in pools)


@given(gpus=st.integers(1, 64), count=st.integers(1, 4), setting=settings)
def test_pools_on_gpus_ask_for_whole_half_or_quarter_gpus_that_exist(
    gpus: int, count: int, setting: Setting
) -> None:
    pools = plan_pools(
        first(count),
        cpus=16 * gpus,
        gpus=gpus,
        memory=64 * GIB * gpus,
        cores=16,
        batches=1000,
        setting=setting,
    )
    assert sorted(name for pool in pools for name in pool.backbones) == sorted(first(count))
    assert all(pool.gpus in (1.0, 0.5, 0.25) for pool in pools)
    assert sum(pool.actors * pool.gpus for pool in pools) <= gpus


def one_pool(cpus: int, memory: int, batches: int) -> tuple[int, int]:
    """Actors and threads of all backbones in one pool."""
    (pool,) = plan_pools(
        BACKBONES, cpus=cpus, gpus=0, memory=memory, cores=cpus, batches=batches, setting="fused"
    )
    assert pool.backbones == tuple(BACKBONES)
    return pool.actors, pool.threads


def test_a_small_machine_runs_all_backbones_in_one_pool_an_actor_on_each_cpu() -> None:
    for cpus in (1, 2, 4):
        pools = plan_pools(
            BACKBONES,
            cpus=cpus,
            gpus=0,
            memory=8 * GIB * cpus,
            cores=cpus,
            batches=1000,
            setting="auto",
        )
        assert [(pool.backbones, pool.actors, pool.threads) for pool in pools] == [
            (tuple(BACKBONES), cpus, 1)
        ]


def test_actors_are_as_many_as_memory_has_room_for() -> None:
    # Each needs 1 GiB and twice its 823 MiB of weights: 2.6 GiB.
    assert one_pool(8, memory=32 * GIB, batches=1000) == (8, 1)
    assert one_pool(8, memory=11 * GIB, batches=1000) == (4, 2)
    assert one_pool(8, memory=GIB, batches=1000) == (1, 4)


def test_little_work_gets_few_actors_of_the_same_threads() -> None:
    assert one_pool(4, memory=64 * GIB, batches=1) == (1, 1)
    assert one_pool(4, memory=64 * GIB, batches=5) == (2, 1)
    assert one_pool(8, memory=11 * GIB, batches=5) == (2, 2)


def test_a_large_cluster_gives_each_backbone_its_own_actors() -> None:
    pools = plan_pools(
        BACKBONES,
        cpus=64,
        gpus=0,
        memory=256 * GIB,
        cores=16,
        batches=10_000,
        setting="auto",
    )
    assert [pool.backbones for pool in pools] == [(name,) for name in BACKBONES]
    assert all(pool.actors > 1 for pool in pools)
