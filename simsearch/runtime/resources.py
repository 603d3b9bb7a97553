"""What each kind of task asks of Ray, in one table; pure numbers, no Ray.

Ray puts an actor or a task wherever its request fits, again and again as nodes are lost, and knows
nothing of what has to be left free. So the requests are chosen to leave it. Ray counts in
1/10,000ths; the smallest share that is reckoned with here is a crumb, 0.001 CPU.

While actors work on CPUs, an actor asks for a CPU less two crumbs, a decode or a write task for a
tenth of a crumb. On a node of n CPUs at most n actors fit, so that 2n crumbs remain, for 20n tasks:
nobody but these can take them. While actors work on GPUs, a task asks for half a CPU less a crumb and
an actor for less than a crumb: tasks leave 2n crumbs, actors take none of the halves. No request fits
a node without CPUs, which is how a head is kept free.

Where it ends: a node of more than LARGEST_NODE CPUs, on which the crumbs add up to one more actor.
"""

from __future__ import annotations

from dataclasses import dataclass

RESOLUTION = 10_000
CRUMB = 0.001
LARGEST_NODE = 498  # CPUs: 2 × 498 crumbs are less than an actor


@dataclass(frozen=True)
class Request:
    """What one task or actor asks of a node: logical CPUs and GPUs, bytes of memory."""

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
    """What one node has in all; `memory` 0 where it does not say."""

    cpus: float
    gpus: float = 0.0
    memory: float = 0.0
    name: str = ""


def how_many_fit(request: Request, node: Node) -> int:
    """How many of `request` an empty node takes."""
    pairs = ((request.cpus, node.cpus), (request.gpus, node.gpus), (request.memory, node.memory))
    return min((_units(has) // _units(asks) for asks, has in pairs if asks), default=0)


def _units(amount: float) -> int:
    """An amount in the 1/10,000ths that Ray counts in."""
    return round(amount * RESOLUTION)


ACTOR_ON_CPU = Request(cpus=1 - 2 * CRUMB)
TASK_BESIDE_CPU_ACTORS = Request(cpus=CRUMB / 10)  # decode, write

ACTOR_ON_GPU = Request(cpus=CRUMB / 2, gpus=1.0)
TASK_BESIDE_GPU_ACTORS = Request(cpus=0.5 - CRUMB)  # decode, write

# These run when no actors do. Those that wait for storage ask for half a CPU: two share one. Those that
# compute ask for as much as an actor: a second process on their CPU would start for nothing.
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

GPU_SHARE = 0.25  # of a task that only looks at a GPU

# A task is tried again for as long as nodes are lost under it; what it raises itself ends the run.
ENDLESS = -1


def task_options(kind: str, *, gpu: bool = False) -> dict[str, float | int]:
    """Ray's options for a task of a kind in TASKS; on a node with a GPU where `gpu` is set."""
    request = TASKS[kind]
    with_share = Request(request.cpus, GPU_SHARE if gpu else 0.0, request.memory)
    return {**with_share.options(), "max_retries": ENDLESS}
