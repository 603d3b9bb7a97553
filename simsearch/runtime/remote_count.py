"""How far a task in another process is: it tells, the driver reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from simsearch.runtime.watchdog import Count

READ_SECONDS = 10


@dataclass(frozen=True)
class RemoteCount:
    """A `Count` in an actor of its own, told without waiting. Should its process die, it begins at 0
    again: progress misses what came before, and no result does."""

    handle: Any

    @classmethod
    def start(cls) -> RemoteCount:
        """On this process's node, where no loss of another reaches it."""
        remote: Any = ray.remote
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        endless = {"max_restarts": -1, "max_task_retries": -1}
        counting = remote(Count).options(num_cpus=0, scheduling_strategy=here, **endless)
        return cls(counting.remote())

    def tell(self, value: int) -> None:
        self.handle.tell.remote(value)

    def read(self) -> int:
        """Raises RayError where no answer comes in READ_SECONDS."""
        return int(ray.get(self.handle.read.remote(), timeout=READ_SECONDS))
