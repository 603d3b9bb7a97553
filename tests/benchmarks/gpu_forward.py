"""`forward` on a GPU: the pipeline against the bare half-precision, channels-last forward pass."""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from simsearch.encoders.encoder import Encoder, Running, Specification, Weights
from simsearch.encoders.network import DTYPES
from simsearch.encoders.precision import choose_precision
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.stages import BATCH_GPU
from simsearch.images.decode import decode
from simsearch.settings.config import Config
from tests.benchmarks.extracting import Extracted, extracted, plain_network, settings
from tests.benchmarks.forward import decode_rate
from tests.benchmarks.gpu_decoded import decoded_rates
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn, together
from tests.benchmarks.pictures import fill

ORIGINALS = 2_000
DECODED_SECONDS = 6  # of pixels, at the bare rate
COSINE_PICTURES = 200
LARGE = 1024
REAL = ("mobilenet_v2", "squeezenet1_0")  # small networks whose trained weights may be at hand
MEASURED_SECONDS = 0.6

Forward = Callable[[], object]


def measure(asked: Asked, scratch: Path) -> Result:
    originals = asked.images or ORIGINALS
    paintings = asked.paintings
    if paintings is not None and len(list(paintings.iterdir())) < originals:
        paintings = None  # a run over a few would be start-up and little else
    shown = fill(scratch / "pictures", originals, paintings)
    config = settings(scratch / "pictures", scratch / "root", asked.networks)
    ours, bare = alone(rates, asked.networks, asked.repeats)
    print(f"from memory {ours}\nbare {bare}", flush=True)
    fastest = {name: statistics.median(rates[name] for rates in bare) for name in asked.networks}
    all_bare = [together(rates) for rates in bare]
    vectors = DECODED_SECONDS * together(fastest)
    (decoded,) = alone(decoded_rates, asked.networks, scratch / "decoded", vectors)
    whole: Extracted = alone(extracted, config)
    print(f"from files: {whole.rate:.0f} vectors/s", flush=True)
    cosines = alone(worst_cosines, asked, asked.paintings or scratch / "pictures")
    per_core = alone(decode_rate, scratch / "pictures")
    large = alone(decode_rate, _enlarged(scratch / "pictures", scratch / "large"))
    rows = [
        Comparison(
            "decoded images through Ray Data to stored vectors", "bare forward pass", "vectors/s",
            [decoded.rate], [statistics.median(all_bare)], "≥ 0.9",
        ),
        Comparison(
            "JPEG files through Ray Data to stored vectors", "bare forward pass", "vectors/s",
            [whole.rate], [statistics.median(all_bare)],
        ),
        *(
            Comparison(
                f"{name}: uint8 pixels in memory to vectors in memory", "bare forward pass",
                "images/s", [rates[name] for rates in ours], [rates[name] for rates in bare], "≥ 0.9",
            )
            for name in asked.networks
        ),
    ]  # fmt: skip
    needed = together(fastest) / len(asked.networks) / per_core
    needed_large = together(fastest) / len(asked.networks) / large
    notes = [
        f"Precision picked: {_listed(whole.precisions)}.",
        f"Smallest cosine to float32's vectors, over pictures and their grey copies: {_listed(cosines)} (target ≥ 0.999).",
        f"One core decodes, perturbs and resizes {per_core:.0f} images/s of these pictures and {large:.0f} of "
        f"{LARGE} × {LARGE} pixels, each for all networks: to keep one such GPU busy takes {needed:.1f} or "
        f"{needed_large:.1f} cores (here: {os.cpu_count()}).",
        f"Start-up {decoded.startup:.0f} s from decoded images, {whole.startup:.0f} s from files (left out above).",
    ]
    return Result(
        {
            "pictures": f"{shown}, each with its copies", "networks": ", ".join(asked.networks),
            "batch size": whole.batch_size, "actors": sum(pool.actors for pool in whole.pools),
        },
        rows,
        notes,
        {
            "decoded": asdict(decoded), "whole": asdict(whole), "cosines": cosines,
            "decode_images_per_second_per_core": {"as they are": per_core, f"{LARGE} pixels": large},
            "cores_one_gpu_needs": {"as they are": needed, f"{LARGE} pixels": needed_large},
            "bare": bare, "memory": ours,
        },
    )  # fmt: skip


def _enlarged(pictures: Path, folder: Path) -> Path:
    """A folder of a few of the pictures, as large as museums publish them."""
    folder.mkdir()
    for path in [path for path in sorted(pictures.iterdir()) if path.suffix == ".jpg"][:30]:
        image = Image.open(path).convert("RGB").resize((LARGE, LARGE), Image.Resampling.LANCZOS)
        image.save(folder / path.name, quality=90)
    return folder


def _listed(values: Mapping[str, Any]) -> str:
    sentences = {
        name: f"{value:.5f}" if isinstance(value, float) else value
        for name, value in values.items()
    }
    return ", ".join(f"{name} {value}" for name, value in sentences.items())


Rates = list[dict[str, float]]


def rates(networks: Sequence[str], repeats: int) -> tuple[Rates, Rates]:
    """Images per second of each network, `repeats` times: from pixels on the host, as an actor gets
    them, and as plain PyTorch runs it on a batch that is on the GPU."""
    ours: Rates = [{} for _ in range(repeats)]
    plain: Rates = [{} for _ in range(repeats)]
    for name in networks:
        precision = precision_of(name)
        network = network_of(name, precision, BATCH_GPU)
        pixels = some_pixels(8 * BATCH_GPU, crop_of(name))
        forward = bare(name, BATCH_GPU, precision)
        fast, slow = in_turn(
            partial(per_second, partial(network, pixels), 2), partial(per_second, forward), repeats
        )
        for turn in range(repeats):
            ours[turn][name] = fast[turn] * len(pixels)
            plain[turn][name] = slow[turn] * BATCH_GPU
        del network, forward
        torch.cuda.empty_cache()
    return ours, plain


def precision_of(name: str, source: str = "random:0") -> str:
    """Half precision of the kind that extraction picks for these weights on this GPU."""
    encoder = specification(name)
    weights = weights_of(name, source)
    picked, _ = choose_precision(encoder, weights, encoder.preprocessing, device="cuda")
    return picked


def bare(name: str, batch_size: int, precision: str = "float16") -> Forward:
    module = plain_module(name, precision)
    images = some_images(name, batch_size, precision)

    def forward() -> None:
        with torch.inference_mode():
            module(images)

    return forward


@functools.cache
def plain_module(name: str, precision: str) -> torch.nn.Module:
    """As plain PyTorch has it: half precision, channels last, batch normalisation as layers."""
    module = plain_network(name).eval().requires_grad_(False)
    return module.to("cuda", DTYPES[precision]).to(memory_format=torch.channels_last)


def specification(name: str) -> Specification:
    return get_encoder(name, Config().storage)


@functools.cache
def weights_of(name: str, source: str = "random:0") -> Weights:
    return specification(name).weights([source], Config().storage)


def some_images(name: str, batch_size: int, precision: str) -> torch.Tensor:
    crop = crop_of(name)
    images = torch.rand(batch_size, 3, crop, crop).to("cuda", DTYPES[precision])
    return images.to(memory_format=torch.channels_last)


def per_second(action: Forward, passes: int = 5) -> float:
    """Calls per second, once warm: over at least `passes` calls and MEASURED_SECONDS."""
    for _ in range(passes):
        action()
    torch.cuda.synchronize()
    calls, started = 0, time.perf_counter()
    while True:
        for _ in range(passes):
            action()
        torch.cuda.synchronize()
        calls += passes
        if (seconds := time.perf_counter() - started) > MEASURED_SECONDS:
            return calls / seconds


def crop_of(name: str) -> int:
    return specification(name).preprocessing.crop


def some_pixels(count: int, crop: int) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, crop, crop, 3), dtype=np.uint8)


def network_of(name: str, precision: str, batch_size: int, source: str = "random:0") -> Encoder:
    encoder = specification(name)
    running = Running(encoder.preprocessing, precision, device="cuda", batch_size=batch_size)
    return encoder.load(weights_of(name, source), running)


def worst_cosines(asked: Asked, pictures: Path) -> dict[str, float]:
    """Each network's smallest cosine between half precision's and float32's vectors of the same
    picture; of trained networks too, where `asked.weights` has them."""
    sources = dict.fromkeys(asked.networks, "random:0")
    if asked.weights is not None:
        sources |= {name: str(asked.weights) for name in REAL}
    cosines = {}
    for name, source in sources.items():
        pixels = _pixels_of(pictures, name)
        precision = precision_of(name, source)
        exact, half = (
            network_of(name, precision, 64, source)(pixels).astype(np.float64)
            for precision in ("float32", precision)
        )
        lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(half, axis=1)
        trained = "random" if source.startswith("random:") else "trained"
        label = f"{name} ({trained} weights, {precision})"
        cosines[label] = float((np.einsum("id,id->i", exact, half) / lengths).min())
    return cosines


def _pixels_of(pictures: Path, name: str) -> npt.NDArray[np.uint8]:
    preprocessing = specification(name).preprocessing
    limits = Config().images
    shown: list[Image.Image] = []
    for path in sorted(pictures.iterdir())[:COSINE_PICTURES]:
        image = decode(
            path.read_bytes(), max_pixels=limits.max_pixels, max_bytes=limits.max_bytes,
            background=limits.background,
        )  # fmt: skip
        shown += [image, image.convert("L").convert("RGB")]
    return np.stack([preprocessing.pixels(image) for image in shown])
