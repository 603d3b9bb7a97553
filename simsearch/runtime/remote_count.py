"""A counter in a process of its own. Tasks elsewhere add to it, and the driver reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from simsearch.runtime.watchdog import Count

READ_SECONDS = 10


def start_here(kind: type, *arguments: Any) -> Any:
    """Start an actor of the class `kind` on this process's node, so that it sees the same files and outlives
    the loss of any other node. If the actor's process dies, Ray starts it again from its initial state."""
    remote: Any = ray.remote
    # A soft affinity put the actor on another node in half of all runs.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    endless = {"max_restarts": -1, "max_task_retries": -1}
    return remote(kind).options(num_cpus=0, scheduling_strategy=here, **endless).remote(*arguments)


def read_here(handle: Any) -> int:
    """The count of an actor by `start_here`. Raises RayError without an answer within READ_SECONDS."""
    return int(ray.get(handle.read.remote(), timeout=READ_SECONDS))


@dataclass(frozen=True)
class RemoteCount:
    """A `Count` in an actor of its own, to which tasks add without waiting for an answer. If its process
    dies it begins at 0 again. The shown progress then lacks the earlier items, but the run's results lack
    nothing."""

    handle: Any

    @classmethod
    def start(cls) -> RemoteCount:
        return cls(start_here(Count))

    def tell(self, value: int, part: str = "") -> None:
        self.handle.tell.remote(value, part)

    def read(self) -> int:
        """The count. Raises RayError without an answer within READ_SECONDS."""
        return read_here(self.handle)
