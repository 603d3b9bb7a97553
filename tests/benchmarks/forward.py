"""`forward`: the whole pipeline against the bare forward pass on ready tensors."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch

from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.network import DTYPES
from simsearch.encoders.precision import has_tiles
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.in_actors import KEEP_MEMORY
from simsearch.extraction.placement import ActorPool
from simsearch.features import store as feature_store
from simsearch.images import perturbations
from simsearch.images.decode import decode
from simsearch.images.suites import STUDY_PROFILES
from simsearch.runs import steps as pipeline
from simsearch.runs.context import take
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.storage.storage import root_of
from tests.benchmarks.extracting import Extracted, extracted, plain_network, settings
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn, together
from tests.benchmarks.pictures import fill

# Enough for a steady state of minutes; above what converting a network pays for where there are no tiles.
ORIGINALS, ORIGINALS_WITHOUT_TILES = 500, 360
BARE_BATCHES = 12
WARM_BATCHES = 2
WAIT_SECONDS = 120  # until the processes beside it have built the same network

_together: Barrier


def measure(asked: Asked, scratch: Path) -> Result:
    originals = asked.images or (ORIGINALS if has_tiles() else ORIGINALS_WITHOUT_TILES)
    shown = fill(scratch / "pictures", originals, asked.paintings)
    config = settings(scratch / "pictures", scratch / "root", asked.networks)
    runs: list[Extracted] = []

    def whole() -> Extracted:
        runs.append(alone(extracted, config))
        return runs[-1]

    def bare_pass() -> dict[str, float]:  # with our run's processes, threads, precision and malloc
        return alone(bare_rates, config, runs[0], environment=KEEP_MEMORY)

    ours, bare = in_turn(whole, bare_pass, asked.repeats)
    rows = [
        Comparison(
            "whole pipeline, steady state", "bare forward pass", "vectors/s",
            [run.rate for run in ours], [together(rates) for rates in bare],
            "≥ 0.92",
        ),
        *(
            Comparison(
                f"inside the pipeline's {name}", "bare forward pass", "images/s",
                [run.network_rates[name] for run in ours], [rates[name] for rates in bare],
                "≥ 0.95",
            )
            for name in asked.networks
        ),
    ]  # fmt: skip
    last = ours[-1]
    notes = [precision_note(last.precisions, last.reasons)]
    details: dict[str, Any] = {"runs": [asdict(run) for run in ours]}
    if set(last.precisions.values()) != {"float32"}:
        rounding = _rounding(config, scratch / "float32")
        details["rounding"] = rounding
        notes += [
            f"{name}: every vector within cosine {error['cosine']:.5f} of float32's, "
            f"recovery metrics within {error['recovery']:.4f}."
            for name, error in rounding.items()
        ]
    decoded = alone(decode_rate, scratch / "pictures")
    fastest = together(bare[-1])
    details["decode_images_per_second_per_core"] = decoded
    notes.append(
        f"Start-up {statistics.median(run.startup for run in ours):.0f} s (left out above). One core decodes, "
        f"perturbs and resizes {decoded:.0f} images/s, each for all networks: keeping the forward pass busy "
        f"takes {fastest / len(asked.networks) / decoded:.2f} cores."
    )
    return Result(_told(shown, asked, ours[0]), rows, notes, details)


def _told(shown: str, asked: Asked, run: Extracted) -> dict[str, Any]:
    return {
        "pictures": f"{shown} × {1 + len(STUDY_PROFILES)} variants",
        "networks": ", ".join(asked.networks),
        "batch size": run.batch_size,
        "processes × threads": ", ".join(f"{pool.actors} × {pool.threads}" for pool in run.pools),
        "device": "cpu",
    }


def precision_note(precisions: Mapping[str, str], reasons: Mapping[str, str]) -> str:
    formats = {f"{precisions[name]} ({reasons[name]})" for name in precisions}
    note = f"Precision picked: {'; '.join(sorted(formats))}."
    if set(precisions.values()) == {"float32"}:
        note += " It is float32 itself, so cosines and recovery metrics are those of float32."
    return note


def bare_rates(config: Config, run: Extracted) -> dict[str, float]:
    """Images per second of each network on one tensor that is there already, in the precision of
    `run` and in as many processes at once as its pools had actors."""
    rates: dict[str, float] = {}
    context = get_context("spawn")
    for pool in run.pools:
        with ProcessPoolExecutor(
            pool.actors, context, initializer=_meet_at, initargs=(context.Barrier(pool.actors),)
        ) as executor:
            asked = [executor.submit(_bare_rates, config, run, pool) for _ in range(pool.actors)]
            answers = [future.result() for future in asked]
        rates |= {name: sum(answer[name] for answer in answers) for name in pool.encoders}
    return rates


def _meet_at(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _bare_rates(config: Config, run: Extracted, pool: ActorPool) -> dict[str, float]:
    torch.set_num_threads(pool.threads)
    rates = {}
    for name in pool.encoders:
        encoder, dtype = get_encoder(name, config.storage), DTYPES[run.precisions[name]]
        module = plain_network(name).eval().requires_grad_(False)
        module = module.to(dtype).to(memory_format=torch.channels_last)
        crop = preprocessing_for(encoder, config.extract.preprocessing).crop
        images = torch.rand(run.batch_size, 3, crop, crop)
        images = images.to(dtype).to(memory_format=torch.channels_last)

        def forward(module: Any = module, images: torch.Tensor = images) -> None:
            with torch.inference_mode():
                module(images)

        _together.wait(WAIT_SECONDS)
        rates[name] = run.batch_size * per_second(forward)
    return rates


def per_second(action: Callable[[], None]) -> float:
    for _ in range(WARM_BATCHES):
        action()
    started = time.perf_counter()
    for _ in range(BARE_BATCHES):
        action()
    return BARE_BATCHES / (time.perf_counter() - started)


def decode_rate(pictures: Path) -> float:
    """Images (originals and copies) per second that one core decodes, perturbs and resizes."""
    limits = Config().images
    preprocessing = get_encoder("vgg16", StorageConfig()).preprocessing
    data = [path.read_bytes() for path in sorted(pictures.iterdir())][:100]
    started = time.perf_counter()
    for batch in data:
        original = decode(
            batch,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            background=limits.background,
        )
        preprocessing.pixels(original)
        for profile in STUDY_PROFILES:
            copy = perturbations.perturb(
                original,
                perturbations.get_profile(profile),
                reencode_jpeg=True,
                seed=0,
                content_hash="",
            )
            preprocessing.pixels(copy)
    return len(data) * (1 + len(STUDY_PROFILES)) / (time.perf_counter() - started)


def _rounding(config: Config, root: Path) -> dict[str, dict[str, float]]:
    """How far the picked precision strays from float32: smallest cosine, largest change of a metric."""
    exact = config.model_copy(
        update={
            "root": str(root),
            "extract": config.extract.model_copy(update={"precision": "float32"}),
        }
    )
    alone(extracted, exact)
    alone(_scored, config)
    alone(_scored, exact)
    return alone(_differences, config, exact)


def _scored(config: Config) -> None:
    take(config, pipeline.index)
    take(config, pipeline.neighbours)
    take(config, pipeline.evaluate)
    ray.shutdown()


def _differences(config: Config, exact: Config) -> dict[str, dict[str, float]]:
    first, second = (pending_snapshot(root_of(settings)) for settings in (config, exact))
    metrics = [_recovery(snapshot) for snapshot in (first, second)]
    images = first.images()
    differences = {}
    for space in first.plan().spaces:
        name = space.name
        vectors = [
            feature_store.read_vectors(
                snapshot.storage, snapshot.plan().space(name), images
            ).astype(float)
            for snapshot in (first, second)
        ]
        lengths = np.linalg.norm(vectors[0], axis=1) * np.linalg.norm(vectors[1], axis=1)
        cosines = np.einsum("id,id->i", *vectors) / lengths
        strays = [abs(metrics[0][key] - metrics[1][key]) for key in metrics[0] if key[0] == name]
        differences[name] = {"cosine": float(cosines.min()), "recovery": max(strays)}
    return differences


def _recovery(snapshot: Snapshot) -> dict[tuple[str, str, int, str], float]:
    rows = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    return {
        (row["space"], row["metric"], row["k"], row["scope"]): row["mean"]
        for row in rows
        if row["search"] == "exact"
        and row["metric"] in ("precision", "recall", "f1")
        and row["scope"] == "all"
    }
