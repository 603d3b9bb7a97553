"""The memory of a test process stays small: dropped objects' memory goes back to the system."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.support import memory

BLOCKS, BYTES = 5000, 2**16  # 328 MB, in blocks that glibc keeps


class Network:
    """Like PyTorch's networks: it refers to large blocks, and to itself."""

    def __init__(self) -> None:
        self.itself: Any = self
        self.blocks = [bytearray(BYTES) for _ in range(BLOCKS)]
        self.last = bytearray(1)  # above them in the heap, so that glibc cannot cut it off


@pytest.mark.slow
def test_a_dropped_network_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    memory.give_back()  # what earlier tests left in the heap would be taken first
    before = memory.resident()
    monkeypatch.setattr(memory, "_after_last", before)
    gc.disable()
    try:
        network = Network()
        kept = network.last
        del network
        # Some blocks lie in parts of the heap that could not be given back.
        assert memory.resident() > before + 0.5 * BLOCKS * BYTES
    finally:
        gc.enable()
    memory.give_back_growth()
    assert memory.resident() < before + 0.2 * BLOCKS * BYTES
    assert kept


def test_a_modules_end_counts_from_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(memory.resident()))
    monkeypatch.setattr(memory, "_after_module", memory.resident() - 2 * memory.GROWTH)
    monkeypatch.setattr(memory, "_after_last", memory.resident())  # with a fixture that is gone
    memory.give_back_growth()
    assert given == []
    memory.give_back_growth(module_ends=True)
    assert len(given) == 1


def test_a_process_that_has_not_grown_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_after_last", memory.resident())
    monkeypatch.setattr(memory, "give_back", lambda: pytest.fail("half a second for nothing"))
    memory.give_back_growth()
