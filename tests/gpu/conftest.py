"""Every test here needs a CUDA GPU."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def gpu() -> str:
    """The GPU's name."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA on this machine: torch.cuda.is_available() is false")
    return str(torch.cuda.get_device_name())
