"""Forward passes that keep a CUDA GPU busy: the next batch's pixels travel while one batch computes."""

from __future__ import annotations

import functools
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

# Batches of a network in flight: one is filled on the host, one computes, one returns.
SLOTS = 3
WARM_UP_PASSES = 3  # in the first, cuBLAS and cuDNN set themselves up, which must not be captured


@dataclass(frozen=True)
class _Lane:
    """The streams that all networks of a process share, so that each has the GPU to itself in turn."""

    upload: torch.cuda.Stream
    compute: torch.cuda.Stream
    download: torch.cuda.Stream
    order: threading.Lock


@functools.cache
def _lane(device: torch.device) -> _Lane:
    upload, compute, download = (torch.cuda.Stream(device) for _ in range(3))
    return _Lane(upload, compute, download, threading.Lock())


class _Slot:
    """Room for one batch, page-locked on the host: otherwise copies would not run beside computation."""

    def __init__(self, pixels: torch.Size, vectors: torch.Size, device: torch.device) -> None:
        self.pixels = torch.empty(pixels, dtype=torch.uint8, pin_memory=True)
        self.vectors = torch.empty(vectors, dtype=torch.float32, pin_memory=True)
        self.pixels_there = torch.empty(pixels, dtype=torch.uint8, device=device)
        self.vectors_there = torch.empty(vectors, dtype=torch.float32, device=device)
        self.uploaded = torch.cuda.Event()
        self.computed = torch.cuda.Event()
        self.returned = torch.cuda.Event(
            blocking=True
        )  # leaves the waiting thread's core to others


_Flying = deque[tuple[_Slot, npt.NDArray[np.float32]]]  # each slot with the array for its vectors


class CudaForward:
    """uint8 pixels [N, *image] in host memory to float32 vectors [N, D] in host memory.

    `forward` maps uint8 pixels [batch_size, *image] on the GPU to vectors [batch_size, D] there. It is
    recorded once as a CUDA graph, which a single launch replays.

    Any number of threads may call at once, and each gets its own vectors. While one thread's batch
    computes, another's is copied into page-locked memory, and a third's results return.
    """

    def __init__(
        self,
        forward: Callable[[torch.Tensor], torch.Tensor],
        image: tuple[int, ...],
        *,
        batch_size: int,
        device: torch.device,
        graph: bool = True,
        slots: int = SLOTS,
    ) -> None:
        self._forward = forward
        self._batch_size = batch_size
        self._lane = _lane(device)
        shape = torch.Size((batch_size, *image))
        self._input = torch.zeros(shape, dtype=torch.uint8, device=device)
        torch.cuda.synchronize(device)  # the weights too were copied on another stream
        with torch.inference_mode():
            with torch.cuda.stream(self._lane.compute):
                for _ in range(WARM_UP_PASSES):
                    self._output = forward(self._input)
            self._lane.compute.synchronize()
            self._graph = self._record() if graph else None
        self.dimension = self._output.shape[1]
        self._free: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        for _ in range(slots):
            self._free.put(_Slot(shape, torch.Size((batch_size, self.dimension)), device))
        torch.cuda.synchronize(device)

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        # CUDA calls of other threads do not belong to this recording.
        mode = "thread_local"
        with torch.cuda.graph(graph, stream=self._lane.compute, capture_error_mode=mode):
            self._output = self._forward(self._input)
        return graph

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        vectors = np.empty((len(pixels), self.dimension), dtype=np.float32)
        flying: _Flying = deque()
        try:
            for start in range(0, len(pixels), self._batch_size):
                slot = self._next_slot(flying)
                end = start + self._batch_size
                flying.append((slot, vectors[start:end]))
                self._send(slot, pixels[start:end])
            while flying:
                self._collect(*flying.popleft())
        finally:
            for slot, _ in flying:  # after a failure, no other thread may wait for these
                self._free.put(slot)
        return vectors

    def _next_slot(self, flying: _Flying) -> _Slot:
        """A free slot. A thread waits for one only with none of its own in flight: threads that held slots
        while waiting would wait for each other."""
        while flying:
            try:
                return self._free.get_nowait()
            except queue.Empty:
                self._collect(*flying.popleft())
        return self._free.get()

    def _send(self, slot: _Slot, rows: npt.NDArray[np.uint8]) -> None:
        host = slot.pixels.numpy()
        np.copyto(host[: len(rows)], rows)
        host[len(rows) :] = 0
        lane = self._lane
        # Set here, not in the constructor: Ray Data calls an actor on other threads than the one that
        # made it.
        with lane.order, torch.inference_mode():
            with torch.cuda.stream(lane.upload):
                slot.pixels_there.copy_(slot.pixels, non_blocking=True)
                slot.uploaded.record(lane.upload)
            with torch.cuda.stream(lane.compute):
                lane.compute.wait_event(slot.uploaded)
                slot.vectors_there.copy_(self._run(slot.pixels_there))
                slot.computed.record(lane.compute)
            with torch.cuda.stream(lane.download):
                lane.download.wait_event(slot.computed)
                slot.vectors.copy_(slot.vectors_there, non_blocking=True)
                slot.returned.record(lane.download)

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        if self._graph is None:
            return self._forward(pixels)
        # A copy within the GPU's memory, some 10 µs, saves a recording per slot.
        self._input.copy_(pixels)
        self._graph.replay()
        return self._output

    def _collect(self, slot: _Slot, vectors: npt.NDArray[np.float32]) -> None:
        slot.returned.synchronize()
        np.copyto(vectors, slot.vectors.numpy()[: len(vectors)])
        self._free.put(slot)
