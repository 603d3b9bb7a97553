"""`variants`, on a GPU only: which ways of running a network there pay, each beside the plain one."""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.fx.experimental.optimization import fuse

from simsearch.encoders import cuda
from simsearch.encoders.network import DTYPES
from tests.benchmarks.extracting import plain_network
from tests.benchmarks.gpu_decoded import Way, decoded_rates
from tests.benchmarks.gpu_forward import bare, per_second, some_images, some_pixels, specification
from tests.benchmarks.measuring import Asked, Result, alone

BATCHES = (128, 256, 512)
ACTORS_SECONDS = 1.5
DECODED_IMAGES = 15_000
WAYS = (Way(1, 1), Way(1, 3), Way(2, 1))
WAIT_SECONDS = 120

_together: Barrier


@dataclass(frozen=True)
class Variant:
    """One way to run one network, and how many images per second it made."""

    network: str
    way: str
    batch: int
    rate: float
    gigabytes: float = 0.0  # the most that PyTorch had of the GPU's memory


def measure(asked: Asked, scratch: Path) -> Result:
    variants = alone(in_one_process, asked.networks)
    for actors in (1, 2):
        variants += _told(alone(actors_on_one_gpu, asked.networks[1:], actors))
    name = asked.networks[min(1, len(asked.networks) - 1)]
    for run, way in zip(
        alone(decoded_rates, [name], scratch / "decoded", DECODED_IMAGES, WAYS), WAYS, strict=True
    ):
        description = (
            f"decoded images through Ray Data, {way.actors} actor(s) × {way.calls} call(s)"
        )
        variants += _told([Variant(name, description, run.batch_size, run.rate)])
    return Result(
        {"networks": ", ".join(asked.networks)},
        [],
        [
            f"{variant.network}, {variant.way}, batch {variant.batch}: {variant.rate:.0f} images/s."
            for variant in variants
        ],
        {"variants": [vars(variant) for variant in variants]},
    )


def in_one_process(networks: Sequence[str]) -> list[Variant]:
    variants: list[Variant] = []
    for name in networks:
        variants += _told(ready_tensors(name))
        variants += _told(from_memory(name))
    return variants


def _told(variants: Sequence[Variant]) -> Sequence[Variant]:
    for variant in variants:
        print(
            f"{variant.network:12} {variant.way:64} {variant.batch:4} {variant.rate:8.0f} {variant.gigabytes:5.1f} GB",
            flush=True,
        )
    return variants


def ready_tensors(name: str) -> list[Variant]:
    """Forward passes on a batch that is on the GPU already: no pixels travel."""
    variants = []
    for batch in BATCHES:
        variants.append(
            _timed(name, "plain float16, channels last (bare)", batch, bare(name, batch))
        )
        variants.append(_timed(name, "folded batch norm", batch, _folded(name, batch, "float16")))
        variants.append(
            _timed(name, "folded, CUDA graph", batch, _graphed(_folded(name, batch, "float16")))
        )
    folded = _folded(name, 256, "bfloat16")
    variants.append(_timed(name, "folded, bfloat16", 256, folded))
    with _cudnn_benchmark():
        variants.append(_timed(name, "folded, cudnn.benchmark", 256, _folded(name, 256, "float16")))
    return variants


@contextmanager
def _cudnn_benchmark() -> Iterator[None]:
    torch.backends.cudnn.benchmark = True
    yield
    torch.backends.cudnn.benchmark = False


def _timed(name: str, way: str, batch: int, action: Callable[[], Any], passes: int = 5) -> Variant:
    torch.cuda.reset_peak_memory_stats()
    rate = batch * per_second(action, passes)
    peak = torch.cuda.max_memory_allocated() / 1e9
    gc.collect()
    torch.cuda.empty_cache()
    return Variant(name, way, batch, rate, peak)


@functools.cache
def _module(name: str, precision: str) -> torch.nn.Module:
    features = plain_network(name).eval().requires_grad_(False)
    module: torch.nn.Module = fuse(features, inplace=True)
    return module.to("cuda", DTYPES[precision]).to(memory_format=torch.channels_last)


def _folded(name: str, batch: int, precision: str) -> Callable[[], None]:
    module = _module(name, precision)
    images = some_images(name, batch, precision)

    def forward() -> None:
        with torch.inference_mode():
            module(images)

    return forward


def _graphed(forward: Callable[[], None]) -> Callable[[], None]:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            forward()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        forward()

    def replay(_kept: Callable[[], None] = forward) -> None:  # its tensors are what is replayed on
        graph.replay()

    return replay


def from_memory(name: str) -> list[Variant]:
    """Pixels on the host to vectors on the host, as an actor has them."""
    variants = []
    for batch in BATCHES:
        pixels = some_pixels(max(1024, 4 * batch), 224)
        variants.append(
            _called(name, "from memory, CUDA graph, 3 slots", batch, _cuda(name, batch), pixels)
        )
    pixels = some_pixels(2048, 224)
    for graph, slots in ((True, 1), (True, 2), (False, 3)):
        way = f"from memory, {'CUDA graph' if graph else 'no graph'}, {slots} slot(s)"
        variants.append(_called(name, way, 256, _cuda(name, 256, graph=graph, slots=slots), pixels))
    network = _cuda(name, 256)
    for threads in (1, 2, 3):
        with ThreadPoolExecutor(threads) as pool:
            blocks = [pixels[:256]] * 12

            def blockwise(pool: ThreadPoolExecutor = pool, blocks: Any = blocks) -> None:
                list(pool.map(network, blocks))

            rate = 12 * 256 * per_second(blockwise, 1)
        variants.append(
            Variant(name, f"from memory, a batch a call, {threads} thread(s)", 256, rate)
        )
    variants.append(
        _called(name, "from memory, pinned anew, waiting for each batch", 256, _naive(name), pixels)
    )
    return variants


def _called(
    name: str, way: str, batch: int, network: Callable[..., Any], pixels: npt.NDArray[np.uint8]
) -> Variant:
    timed = _timed(name, way, batch, lambda: network(pixels), 1)
    return Variant(name, way, batch, timed.rate * len(pixels) / batch, timed.gigabytes)


def _forward(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    module = _module(name, "float16")
    preprocessing = specification(name).preprocessing

    def forward(batch: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = module(preprocessing.normalise(batch, torch.float16))
        return vectors.float()

    return forward


def _cuda(name: str, batch: int, *, graph: bool = True, slots: int = 3) -> cuda.CudaForward:
    return cuda.CudaForward(
        _forward(name), (224, 224, 3), batch_size=batch, device=torch.device("cuda"),
        graph=graph, slots=slots,
    )  # fmt: skip


def _naive(name: str) -> Callable[[npt.NDArray[np.uint8]], list[npt.NDArray[np.float32]]]:
    forward = _forward(name)

    def network(pixels: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        vectors = []
        with torch.inference_mode():
            for start in range(0, len(pixels), 256):
                batch = torch.from_numpy(pixels[start : start + 256]).pin_memory()
                vectors.append(forward(batch.to("cuda", non_blocking=True)).cpu().numpy())
        return vectors

    return network


def actors_on_one_gpu(networks: Sequence[str], actors: int) -> list[Variant]:
    """Processes that share the GPU, each from its own memory; their rates together."""
    context = get_context("spawn")
    barrier = context.Barrier(actors)
    with ProcessPoolExecutor(actors, context, initializer=_meet_at, initargs=(barrier,)) as pool:
        asked = [pool.submit(_one_actor, networks) for _ in range(actors)]
        rates = [future.result() for future in asked]
    way = f"from memory, CUDA graph, {actors} process(es) on the GPU"
    return [Variant(name, way, 256, sum(rate[name] for rate in rates)) for name in networks]


def _meet_at(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _one_actor(networks: Sequence[str]) -> dict[str, float]:
    rates = {}
    pixels = some_pixels(1024, 224)
    for name in networks:
        network = _cuda(name, 256)
        network(pixels)
        _together.wait(WAIT_SECONDS)
        calls, started = 0, time.perf_counter()
        while (seconds := time.perf_counter() - started) < ACTORS_SECONDS:
            network(pixels)
            calls += 1
        rates[name] = calls * len(pixels) / seconds
        _together.wait(WAIT_SECONDS)
    return rates
