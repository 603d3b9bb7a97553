"""The resources that each kind of task requests from Ray, in one table. Pure numbers, without Ray.

Ray puts an actor or a task wherever its request fits, again and again as nodes are lost, and does not know
what has to stay free. So the requests are chosen to leave room. Ray counts in 1/10,000ths. The unit here is
a crumb, 0.001 CPU.

While actors work on CPUs, an actor asks for a CPU less two crumbs, a decode or a write task for a tenth of
a crumb. On a node of n CPUs at most n actors fit, so that 2n crumbs remain, for 20n tasks. Only these tasks
can use them. While actors work on GPUs, a task asks for half a CPU less a crumb, and an actor for less than
a crumb. Tasks thus leave 2n crumbs, and actors use none of the halves. No request fits a node without CPUs,
which keeps a head free.

The limit is a node of more than LARGEST_NODE CPUs, on which the crumbs add up to one more actor.
"""

from __future__ import annotations

from dataclasses import dataclass

RESOLUTION = 10_000
CRUMB = 0.001
LARGEST_NODE = 498  # CPUs: their 2 × 498 crumbs are less than an actor's request, 998 crumbs


@dataclass(frozen=True)
class Request:
    """The request of one task or actor: logical CPUs and GPUs, bytes of memory."""

    cpus: float
    gpus: float = 0.0
    memory: int = 0

    def options(self) -> dict[str, float | int]:
        """The request as keyword arguments of Ray's `options` and of Ray Data's `map_batches`."""
        return {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            **({"memory": self.memory} if self.memory else {}),
        }

    def __str__(self) -> str:
        """`0.5 CPU, 1 GPU, 2.6 GiB of memory`"""
        parts = [f"{self.cpus:g} CPU"] if self.cpus else []
        parts += [f"{self.gpus:g} GPU"] if self.gpus else []
        parts += [f"{self.memory / 2**30:.1f} GiB of memory"] if self.memory else []
        return ", ".join(parts) or "nothing"


@dataclass(frozen=True)
class Node:
    """All resources of one node. `memory` is 0 if the node does not state it."""

    cpus: float
    gpus: float = 0.0
    memory: float = 0.0
    name: str = ""


def count_fitting(request: Request, node: Node) -> int:
    """The number of `request`s that fit an empty node."""
    pairs = ((request.cpus, node.cpus), (request.gpus, node.gpus), (request.memory, node.memory))
    return min((_units(has) // _units(asks) for asks, has in pairs if asks), default=0)


def _units(amount: float) -> int:
    """An amount in Ray's unit, 1/10,000."""
    return round(amount * RESOLUTION)


ACTOR_ON_CPU = Request(cpus=1 - 2 * CRUMB)
TASK_BESIDE_CPU_ACTORS = Request(cpus=CRUMB / 10)  # decode, write

ACTOR_ON_GPU = Request(cpus=CRUMB / 2, gpus=1.0)
TASK_BESIDE_GPU_ACTORS = Request(cpus=0.5 - CRUMB)  # decode, write

# These tasks run when no actors do. Tasks that wait for storage ask for half a CPU, so that two share one.
# Tasks that compute ask for as much as an actor: a second process on their CPU would gain nothing.
TASKS = {
    "arrive": Request(cpus=CRUMB),  # the first task of a run: it waits until the cluster has a node
    "precision": Request(cpus=0.25),
    "decode": Request(cpus=0.5),  # pixels to learn from
    "fit": Request(cpus=0.5),
    "apply": Request(cpus=0.5),
    "index": Request(cpus=0.5),
    "load": Request(cpus=0.5),
    "search": ACTOR_ON_CPU,
    "score": ACTOR_ON_CPU,
    "project": Request(cpus=0.5),
}

GPU_SHARE = 0.25  # requested by a task that only inspects a GPU

# A task is tried again as often as its node is lost. Its own error ends the run.
ENDLESS = -1


def task_options(kind: str, *, gpu: bool = False) -> dict[str, float | int]:
    """Ray's options for a task of a kind in TASKS. With `gpu` it runs on a node with a GPU."""
    request = TASKS[kind]
    with_share = Request(request.cpus, GPU_SHARE if gpu else 0.0, request.memory)
    return {**with_share.options(), "max_retries": ENDLESS}
