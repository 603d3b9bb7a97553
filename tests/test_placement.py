"""Placement: every plan must be able to start on the cluster it was made for."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.placement import DECODE_CPUS, WRITE_CPUS, plan_pools

BACKBONES = ["vgg16", "resnet152", "densenet201", "squeezenet1_1"]
Setting = Literal["auto", "per-backbone", "fused"]
settings = st.sampled_from(["auto", "per-backbone", "fused"])


@given(
    cpus=st.integers(1, 512), cores=st.integers(1, 64), count=st.integers(1, 4), setting=settings
)
def test_pools_on_cpus_leave_room_to_decode_and_write(
    cpus: int, cores: int, count: int, setting: Setting
) -> None:
    pools = plan_pools(BACKBONES[:count], cpus=cpus, gpus=0, cores=cores, setting=setting)
    assert sorted(name for pool in pools for name in pool.backbones) == sorted(BACKBONES[:count])
    assert sum(pool.actors * pool.cpus for pool in pools) + DECODE_CPUS + WRITE_CPUS <= cpus + 1e-6
    assert all(1 <= pool.threads <= cores and pool.cpus > 0 and pool.gpus == 0 for pool in pools)


@given(gpus=st.integers(1, 64), count=st.integers(1, 4), setting=settings)
def test_pools_on_gpus_ask_for_whole_half_or_quarter_gpus_that_exist(
    gpus: int, count: int, setting: Setting
) -> None:
    pools = plan_pools(BACKBONES[:count], cpus=16 * gpus, gpus=gpus, cores=16, setting=setting)
    assert sorted(name for pool in pools for name in pool.backbones) == sorted(BACKBONES[:count])
    assert all(pool.gpus in (1.0, 0.5, 0.25) for pool in pools)
    assert sum(pool.actors * pool.gpus for pool in pools) <= gpus


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_a_small_machine_runs_all_backbones_in_one_pool(cpus: int) -> None:
    (pool,) = plan_pools(BACKBONES, cpus=cpus, gpus=0, cores=cpus, setting="auto")
    assert pool.backbones == tuple(BACKBONES)
    assert pool.threads == cpus


def test_a_large_cluster_gives_each_backbone_its_own_actors() -> None:
    pools = plan_pools(BACKBONES, cpus=64, gpus=0, cores=16, setting="auto")
    assert [pool.backbones for pool in pools] == [(name,) for name in BACKBONES]
    assert all(pool.actors > 1 for pool in pools)
