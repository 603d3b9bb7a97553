"""Machines that a test runs on only in name: what the hardware reports is replaced.

`tests/support/tiles` does the same for whole processes and their children, Ray's workers too.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from simsearch.extraction import networks
from simsearch.extraction.placement import Device


@dataclass(frozen=True)
class Machine:
    """A CPU of an `architecture`, with or without matrix tiles. `capability` is that of the GPU on which the
    networks run (None: no GPU)."""

    name: str
    architecture: str = "x86_64"
    tiles: bool = False
    capability: tuple[int, int] | None = None

    @property
    def device(self) -> Device:
        return "cpu" if self.capability is None else "cuda"

    def __str__(self) -> str:
        return self.name

    def simulate(self, patch: pytest.MonkeyPatch) -> None:
        """Make this process take itself for one on this machine. Tasks on GPUs run in it too."""
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": self.tiles})
        patch.setattr(platform, "machine", lambda: self.architecture)
        patch.setattr(torch.cuda, "get_device_capability", lambda: self.capability)
        patch.setattr(networks, "_call_as_task", _call)
        patch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)


def _call(config: Any, task: str, function: Callable[[], Any], device: Device = "cpu") -> Any:
    return function()


PLAIN = Machine("CPU without tiles")
TILES = Machine("CPU with tiles", tiles=True)
MACHINES = (
    PLAIN,
    TILES,
    Machine("ARM", "aarch64"),
    Machine("GPU without tensor cores", capability=(6, 1)),
    Machine("GPU with float16", capability=(7, 0)),
    Machine("GPU with float16 and bfloat16", capability=(9, 0)),
)
