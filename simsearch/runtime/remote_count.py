"""How far a task in another process is: it tells, the driver reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from simsearch.runtime.watchdog import Count

READ_SECONDS = 10


def start_here(kind: type, *arguments: Any) -> Any:
    """An actor of that kind on this process's node, where no loss of another reaches it; should its
    process die, it begins anew."""
    remote: Any = ray.remote
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    endless = {"max_restarts": -1, "max_task_retries": -1}
    return remote(kind).options(num_cpus=0, scheduling_strategy=here, **endless).remote(*arguments)


def read_here(handle: Any) -> int:
    """What an actor of `start_here` counts. Raises RayError where no answer comes in READ_SECONDS."""
    return int(ray.get(handle.read.remote(), timeout=READ_SECONDS))


@dataclass(frozen=True)
class RemoteCount:
    """A `Count` in an actor of its own, told without waiting. Should its process die, it begins at 0
    again: progress misses what came before, and no result does."""

    handle: Any

    @classmethod
    def start(cls) -> RemoteCount:
        return cls(start_here(Count))

    def tell(self, value: int) -> None:
        self.handle.tell.remote(value)

    def read(self) -> int:
        """Raises RayError where no answer comes in READ_SECONDS."""
        return read_here(self.handle)
