"""Placement: whatever nodes are lost or join, what is left goes on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.extraction.placement import (
    VECTORS_PER_ACTOR,
    ActorPool,
    Device,
    are_too_few_for_actors,
    plan_pools,
)
from simsearch.runtime.resources import LARGEST_NODE, RESOLUTION, Node, Request, count_fitting

MIB = 2**20
GIB = 2**30
ENCODERS = {
    "vgg16": 512 * MIB,
    "resnet152": 229 * MIB,
    "densenet201": 77 * MIB,
    "squeezenet1_1": 5 * MIB,
}


def first(count: int) -> dict[str, int]:
    return dict(list(ENCODERS.items())[:count])


def plan(
    nodes: Sequence[Node], *, device: Device = "cpu", vectors: int = 10**5, count: int = 4
) -> tuple[ActorPool, ...]:
    return plan_pools(first(count), nodes, device=device, vectors=vectors)


@dataclass
class Cluster:
    """What Ray does with requests: it puts each wherever it fits, in any order, knowing nothing of
    the others."""

    rng: random.Random
    requests: dict[str, Request]  # kind: what one of it asks for
    nodes: list[Node] = field(default_factory=list)
    placed: list[dict[str, int]] = field(default_factory=list)  # per node: how many of each kind

    def join(self, node: Node) -> None:
        self.nodes.append(node)
        self.placed.append(dict.fromkeys(self.requests, 0))

    def lose(self, number: int) -> None:
        del self.nodes[number], self.placed[number]

    def free(self, number: int) -> Node:
        """The resources that Ray counts as free, in its ten-thousandths."""
        node, placed = self.nodes[number], self.placed[number]

        def left(name: str) -> float:
            taken = sum(
                count * round(getattr(self.requests[kind], name) * RESOLUTION)
                for kind, count in placed.items()
            )
            has: float = getattr(node, name)
            rest: int = round(has * RESOLUTION) - taken
            return rest / RESOLUTION

        return Node(left("cpus"), left("gpus"), left("memory"))

    def place(self, kind: str, most: int) -> int:
        """Up to `most`, on nodes in a random order; returns how many found room."""
        count = 0
        for number in self.rng.sample(range(len(self.nodes)), len(self.nodes)):
            here = min(count_fitting(self.requests[kind], self.free(number)), most - count)
            self.placed[number][kind] += here
            count += here
        return count

    def end(self, kind: str) -> None:
        for placed in self.placed:
            placed[kind] = 0

    def count(self, kind: str) -> int:
        return sum(placed[kind] for placed in self.placed)

    def has_room(self, request: Request) -> bool:
        return any(count_fitting(request, self.free(number)) for number in range(len(self.nodes)))


def goes_on(cluster: Cluster, pool: ActorPool) -> bool:
    """Whether an actor lives and a decode and a write task find room beside it, once the tasks that
    run have ended, as they do by themselves: an actor never does. Restarted actors take all they can."""
    cluster.end("task")
    cluster.place("actor", pool.most - cluster.count("actor"))
    return cluster.count("actor") > 0 and cluster.has_room(Request(2 * pool.task.cpus))


cpu_nodes = st.builds(
    Node,
    cpus=st.one_of(st.integers(1, 16), st.integers(1, LARGEST_NODE)),
    memory=st.integers(4 * GIB, 512 * GIB),
)
gpu_nodes = st.builds(
    Node,
    cpus=st.integers(1, 128),
    gpus=st.integers(1, 4),
    memory=st.integers(4 * GIB, 512 * GIB),
)
HEAD = Node(cpus=0, memory=8 * GIB)


@pytest.mark.slow
@given(
    nodes=st.lists(cpu_nodes, min_size=1, max_size=5),
    joining=st.lists(cpu_nodes, max_size=3),
    count=st.integers(1, 4),
    vectors=st.integers(1, 10**6),
    seed=st.integers(0, 2**32),
)
def test_on_cpus_whatever_is_lost_or_joins_the_job_goes_on(
    nodes: list[Node], joining: list[Node], count: int, vectors: int, seed: int
) -> None:
    survives(nodes, joining, seed, plan([HEAD, *nodes], count=count, vectors=vectors))


@pytest.mark.slow
@given(
    nodes=st.lists(gpu_nodes, min_size=1, max_size=4),
    joining=st.lists(st.one_of(gpu_nodes, cpu_nodes), max_size=3),
    count=st.integers(1, 4),
    vectors=st.integers(1, 10**5),
    seed=st.integers(0, 2**32),
)
def test_on_gpus_whatever_is_lost_or_joins_the_job_goes_on_while_one_has_a_gpu(
    nodes: list[Node], joining: list[Node], count: int, vectors: int, seed: int
) -> None:
    pools = plan([HEAD, *nodes], device="cuda", count=count, vectors=vectors)
    survives(nodes, joining, seed, pools)


def survives(
    nodes: list[Node], joining: list[Node], seed: int, pools: tuple[ActorPool, ...]
) -> None:
    """Tasks and actors come in any order while nodes are lost and join, down to one that has what an
    actor asks for; at every moment the job could go on."""
    rng = random.Random(seed)
    for pool in pools:
        cluster = Cluster(rng, {"actor": pool.actor, "task": pool.task})
        for node in (HEAD, *nodes):
            cluster.join(node)
        left = list(joining)
        able = [n for n, node in enumerate(cluster.nodes) if count_fitting(pool.actor, node)]
        while able:
            for _ in range(2):
                cluster.place("task", rng.randrange(0, 400))
                cluster.place("actor", pool.most - cluster.count("actor"))
            assert goes_on(cluster, pool)
            cluster.place("task", rng.randrange(0, 400))
            if left and rng.random() < 0.5:
                cluster.join(left.pop())
            else:
                cluster.lose(rng.choice(able))
            able = [n for n, node in enumerate(cluster.nodes) if count_fitting(pool.actor, node)]


def full_of(kind: str, pool: ActorPool, node: Node) -> Cluster:
    cluster = Cluster(random.Random(0), {"actor": pool.actor, "task": pool.task})
    cluster.join(node)
    assert cluster.place(kind, 10**6)
    return cluster


@given(cpus=st.integers(1, LARGEST_NODE))
def test_a_node_full_of_actors_has_room_for_twenty_tasks_per_cpu(cpus: int) -> None:
    node = Node(cpus=cpus, memory=2**42)
    (pool,) = plan([node], vectors=10**8)
    assert full_of("actor", pool, node).place("task", 10**6) >= 20 * cpus


@pytest.mark.slow
@given(cpus=st.integers(1, LARGEST_NODE), gpus=st.integers(1, 4))
def test_a_gpu_node_full_of_tasks_has_room_for_an_actor_and_the_other_way(
    cpus: int, gpus: int
) -> None:
    node = Node(cpus=cpus, gpus=gpus, memory=2**42)
    (pool,) = plan([node], device="cuda", vectors=10**8)
    assert full_of("task", pool, node).has_room(pool.actor)
    assert full_of("actor", pool, node).place("task", 10**6) >= 2


@pytest.mark.slow
@given(nodes=st.lists(cpu_nodes, min_size=1, max_size=5))
def test_what_is_set_aside_for_tasks_takes_no_actor_its_place(nodes: list[Node]) -> None:
    (pool, *_) = plan(nodes, vectors=10**8)
    assert pool.decoders is not None
    aside = (pool.decoders + pool.writers) * pool.task.cpus
    cpus = sum(node.cpus for node in nodes)
    assert aside + cpus * pool.actor.cpus <= cpus + 1e-9


@pytest.mark.slow
@given(nodes=st.lists(cpu_nodes, max_size=4), count=st.integers(1, 4))
def test_nothing_is_ever_put_on_a_head_without_cpus(nodes: list[Node], count: int) -> None:
    for pool in plan([HEAD, *nodes], count=count):
        assert count_fitting(pool.actor, HEAD) == count_fitting(pool.task, HEAD) == 0


@pytest.mark.slow
@given(
    nodes=st.lists(cpu_nodes, max_size=4),
    count=st.integers(1, 4),
    vectors=st.integers(1, 10**7),
    least=st.integers(1, 9),
    most=st.one_of(st.none(), st.integers(9, 99)),
)
def test_actors_stay_within_the_bounds_and_every_network_is_in_one_pool(
    nodes: list[Node], count: int, vectors: int, least: int, most: int | None
) -> None:
    pools = plan_pools(first(count), nodes, device="cpu", vectors=vectors, least=least, most=most)
    assert [name for pool in pools for name in pool.encoders] == list(first(count))
    for pool in pools:
        assert (
            1
            <= pool.least
            <= pool.actors
            <= pool.most
            <= max(1, vectors // VECTORS_PER_ACTOR["cpu"])
        )
        assert most is None or pool.most <= most
        assert 1 <= pool.threads <= 4


def actors_and_threads(node: Node, vectors: int = 10**5) -> tuple[int, int]:
    (pool,) = plan([node], vectors=vectors)
    return pool.actors, pool.threads


def test_a_machine_has_an_actor_of_one_thread_on_each_cpu() -> None:
    for cpus in (1, 2, 4, 64):
        assert actors_and_threads(Node(cpus, memory=8 * GIB * cpus)) == (cpus, 1)


def test_actors_are_as_many_as_memory_has_room_for() -> None:
    # Each needs 1 GiB and twice its 823 MiB of weights: 2.6 GiB.
    assert actors_and_threads(Node(8, memory=32 * GIB)) == (8, 1)
    assert actors_and_threads(Node(8, memory=11 * GIB)) == (4, 2)
    assert actors_and_threads(Node(8, memory=3 * GIB)) == (1, 4)


def test_little_work_gets_few_actors_of_the_same_threads() -> None:
    assert actors_and_threads(Node(4, memory=64 * GIB), vectors=65) == (1, 1)
    assert actors_and_threads(Node(4, memory=64 * GIB), vectors=300) == (2, 1)
    assert actors_and_threads(Node(8, memory=11 * GIB), vectors=300) == (2, 2)


def test_networks_that_no_node_holds_together_run_one_after_the_other() -> None:
    pools = plan([Node(8, memory=int(2.3 * GIB)), Node(4, memory=2 * GIB)])
    assert [pool.encoders for pool in pools] == [
        ("vgg16",),
        ("resnet152", "densenet201", "squeezenet1_1"),
    ]
    assert all(count_fitting(pool.actor, Node(8, memory=int(2.3 * GIB))) for pool in pools)


def test_a_cluster_that_has_no_node_yet_is_planned_for_too() -> None:
    (pool,) = plan([HEAD])
    assert (pool.actors, pool.threads, pool.most) == (1, 1, 781)


@pytest.mark.parametrize("gpus", [1, 4, 8])
def test_each_gpu_has_an_actor(gpus: int) -> None:
    (pool,) = plan([Node(16, gpus=gpus, memory=512 * GIB)], device="cuda", vectors=10**6)
    assert (pool.actors, pool.actor.gpus) == (gpus, 1.0)


@pytest.mark.parametrize(
    ("encoder", "vectors", "few"),
    [
        ("squeezenet1_1", 440, True),
        ("squeezenet1_1", 600, False),
        ("densenet201", 110, True),
        ("densenet201", 440, False),
    ],
)
def test_how_many_vectors_are_too_few_for_actors(encoder: str, vectors: int, few: bool) -> None:
    assert are_too_few_for_actors(ENCODERS[encoder], vectors) is few
