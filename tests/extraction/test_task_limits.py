"""How many decode and write tasks run at once: what CPUs feed, and no more than memory holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.runtime.resources import Node
from tests.extraction.test_placement import GIB, HEAD, cpu_nodes, plan


@pytest.mark.slow
@given(nodes=st.lists(cpu_nodes, min_size=1, max_size=5), count=st.integers(1, 4))
def test_beside_actors_on_cpus_no_more_tasks_run_than_actors_have_memory(
    nodes: list[Node], count: int
) -> None:
    for pool in plan(nodes, count=count, vectors=10**8):
        held = sum(min(int(node.cpus), int(node.memory // pool.actor.memory)) for node in nodes)
        assert pool.decoders == pool.writers == max(4, held)


def decoders_on_gpus(*nodes: Node) -> int | None:
    (pool,) = plan(nodes, device="cuda", vectors=10**6)
    return pool.decoders


def test_many_logical_cpus_with_little_memory_get_few_decoders() -> None:
    (pool,) = plan([Node(96, memory=16 * GIB)], vectors=10**6)
    assert (pool.actors, pool.decoders, pool.writers) == (6, 6, 6)
    # Beside a GPU: 16 GiB less 2.6 of the actor hold 26 tasks of half a GiB, 6 of which write.
    assert decoders_on_gpus(Node(96, gpus=1, memory=16 * GIB)) == 20


def test_beside_gpus_decoders_are_bounded_only_where_memory_is_what_is_short() -> None:
    roomy = Node(16, gpus=1, memory=45 * GIB)
    assert decoders_on_gpus() is None  # no node yet
    assert decoders_on_gpus(HEAD, roomy, Node(8, memory=22 * GIB)) is None
    assert decoders_on_gpus(roomy, Node(96, memory=16 * GIB)) == 32 + 32 - 4
    assert decoders_on_gpus(Node(16, gpus=1)) is None  # its memory is not known
