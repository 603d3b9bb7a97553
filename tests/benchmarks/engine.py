"""`engine`: networks converted for ONNX Runtime against the same networks in PyTorch, both as the actors
of a run have them: a process of one thread on each core, memory kept between batches, float32."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from simsearch.encoders.converted import ConvertedNetwork, convert
from simsearch.encoders.encoder import Encoder, Running, Weights
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.precision import has_tiles, worst_cosine
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.in_actors import KEEP_MEMORY
from simsearch.extraction.stages import BATCH_CPU
from simsearch.settings.sections.operation import StorageConfig
from tests.benchmarks.measuring import Asked, Comparison, Result, alone

ROUNDS = 6  # of a batch by each, in turn: what slows the machine slows both
WAIT_SECONDS = 300  # for the processes beside it to load the same network
WEIGHTS = ["random:0"]

_together: Barrier


@dataclass(frozen=True)
class Rates:
    """Images per second of one process, and the smallest cosine between both ways' vectors."""

    onnx_runtime: float
    pytorch: float
    cosine: float


def measure(asked: Asked, scratch: Path) -> Result:
    processes = os.cpu_count() or 1
    rows, converting, cosines = [], {}, []
    for name in asked.networks:
        file = scratch / f"{name}.onnx"
        converting[name] = alone(convert_to, name, file)
        ours, eager = [], []
        for _ in range(asked.repeats):
            rates = rates_of(name, file, processes)
            ours.append(sum(rate.onnx_runtime for rate in rates))
            eager.append(sum(rate.pytorch for rate in rates))
            cosines += [rate.cosine for rate in rates]
        rows.append(Comparison(name, "eager PyTorch", "images/s", ours, eager))
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in converting.items())
    notes = [
        f"Converting, once per weights: {took}. Smallest cosine between both ways' vectors {min(cosines):.6f}."
    ]
    if has_tiles():
        notes.append(
            "This CPU has matrix tiles for bfloat16: runs compute in that, by PyTorch, and convert nothing."
        )
    shown = {"batch size": BATCH_CPU, "processes × threads": f"{processes} × 1", "rounds": ROUNDS}
    return Result(shown, rows, notes, {"converting_seconds": converting})


def convert_to(name: str, file: Path) -> float:
    """Convert a network into a file; returns the seconds it took, trial included."""
    specification = _specification(name)
    weights = specification.weights(WEIGHTS, StorageConfig())
    started = time.perf_counter()
    data, _ = convert(specification, weights, specification.preprocessing)
    seconds = time.perf_counter() - started
    file.write_bytes(data)
    return seconds


def rates_of(name: str, file: Path, processes: int) -> list[Rates]:
    """Of so many processes at once."""
    context = get_context("spawn")
    with (
        patch.dict(os.environ, KEEP_MEMORY),
        ProcessPoolExecutor(
            processes, context, initializer=_meet_at, initargs=(context.Barrier(processes),)
        ) as pool,
    ):
        pending = [pool.submit(_rates, name, file) for _ in range(processes)]
        return [future.result() for future in pending]


def _meet_at(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _rates(name: str, file: Path) -> Rates:
    ways = _converted(name, file), _eager(name)
    side = _specification(name).preprocessing.crop
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (BATCH_CPU, side, side, 3), dtype=np.uint8)
    expected, converted = (way(pixels).astype(np.float64) for way in ways)
    _together.wait(WAIT_SECONDS)
    seconds = [0.0, 0.0]
    for _ in range(ROUNDS):
        for place, way in enumerate(ways):
            seconds[place] += _seconds(lambda way=way: way(pixels))  # type: ignore[misc]
    ours, eager = (BATCH_CPU * ROUNDS / elapsed for elapsed in seconds)
    return Rates(ours, eager, worst_cosine(expected, converted))


def _converted(name: str, file: Path) -> Encoder:
    specification, data = _specification(name), file.read_bytes()
    weights = Weights(WEIGHTS[0], "", False, data, len(data))
    network = ConvertedNetwork(name, specification.dimension)
    return network.load(weights, _running(specification))


def _eager(name: str) -> Encoder:
    specification = _specification(name)
    weights = specification.weights(WEIGHTS, StorageConfig())
    return specification.load(weights, _running(specification))


def _running(specification: NetworkSpecification) -> Running:
    return Running(specification.preprocessing, batch_size=BATCH_CPU, threads=1)


def _specification(name: str) -> NetworkSpecification:
    specification = get_encoder(name, StorageConfig())
    assert isinstance(specification, NetworkSpecification)
    return specification


def _seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
