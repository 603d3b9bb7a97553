"""`learning`: training of autoencoders against a bare PyTorch loop over the same batches, and the time
of each kind of head over 30,000 vectors."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from simsearch.encoders.backbones.autoencoder import Autoencoder
from simsearch.settings.config import Config
from simsearch.settings.sections.training import AutoencoderConfig
from simsearch.storage.storage import Storage
from simsearch.training.data import PIXELS
from simsearch.training.heads import fit_head
from simsearch.training.judging import LearnedFrom
from simsearch.training.loop import Assignment, batches_of, to_images
from simsearch.training.train import fit
from tests.benchmarks.measuring import Asked, Comparison, Result, in_turn

IMAGES = 2048
EPOCHS = 2
VECTORS, COPIES, DIMENSION = 30_000, 11, 1280  # as of EfficientNet-Lite0
SECONDS = 60.0  # what a head may take on two cores
KINDS = ("autoencoder", "variational", "denoising")


def measure(asked: Asked, scratch: Path) -> Result:
    images = asked.images or IMAGES
    rows = []
    for kind in KINDS:
        settings = AutoencoderConfig(kind=kind, epochs=EPOCHS)
        turns = iter(range(asked.repeats))
        ours, bare = in_turn(
            lambda settings=settings, turns=turns: _ours(
                settings, images, scratch / f"{settings.kind}-{next(turns)}"
            ),  # type: ignore[misc]
            lambda settings=settings: _bare(settings, images),  # type: ignore[misc]
            asked.repeats,
        )
        rows.append(
            Comparison(
                f"training of the {kind} encoder, {settings.side} pixels, Ray Train and checkpoints included",
                "bare PyTorch loop, the same batches",
                "images/s",
                ours,
                bare,
                "≥ 0.9",
            )
        )
    for kind in ("whitening", "denoising", "contrastive"):
        taken = [_head(kind) for _ in range(asked.repeats)]
        rows.append(
            Comparison(
                f"{kind} head fitted to {VECTORS:,} vectors and applied to them",
                "what it may take",
                "s",
                taken,
                [SECONDS] * len(taken),
                "< 1",
            )
        )
    return Result({"images": images, "epochs": EPOCHS, "threads": torch.get_num_threads()}, rows)


def _pictures(images: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (images, 64, 64, 3)).astype(np.uint8)


def _ours(settings: AutoencoderConfig, images: int, place: Path) -> float:
    """Images per second from the start of the first epoch to the last checkpoint."""
    storage = Storage(str(place))
    rows = [
        {
            "artwork_id": f"{number // 2:06}",
            "profile": "grey-4" if number % 2 else None,
            "content_hash": f"{number // 2}",
            "pixels": picture.tobytes(),
        }
        for number, picture in enumerate(_pictures(images))
    ]
    storage.write_table("t/pixels/part-0.parquet", pa.Table.from_pylist(rows, schema=PIXELS))
    learned_from = frozenset(str(row["artwork_id"]) for row in rows)
    assignment = Assignment("bench", settings, storage, "t", learned_from, seed=1)
    started = time.perf_counter()
    fit(assignment, workers=0, use_gpu=False)
    return images * settings.epochs / (time.perf_counter() - started)


def _bare(settings: AutoencoderConfig, images: int) -> float:
    pictures = _pictures(images)
    targets = np.arange(images) // 2 * 2 if settings.kind == "denoising" else np.arange(images)
    model = Autoencoder(settings)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    device = torch.device("cpu")
    started = time.perf_counter()
    for epoch in range(settings.epochs):
        for rows in batches_of(images, settings.batch_size, 1, epoch):
            noise = None
            if settings.kind == "variational":
                noise = torch.randn(len(rows), settings.latent)
            remade, mean, log_variance = model(to_images(pictures[rows], device), noise)
            loss = ((remade - to_images(pictures[targets[rows]], device)) ** 2).sum() / len(rows)
            if log_variance is not None:
                divergence = (
                    0.5 * (mean**2 + log_variance.exp() - log_variance - 1).mean(dim=0).sum()
                )
                loss = loss + settings.beta * divergence
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return images * settings.epochs / (time.perf_counter() - started)


def _head(kind: str) -> float:
    """Seconds to fit a head of the settings' defaults and to apply it."""
    random = np.random.default_rng(2)
    artworks = np.arange(VECTORS) // COPIES
    vectors = random.normal(size=(artworks.max() + 1, DIMENSION)).astype(np.float32)[artworks]
    vectors += 0.3 * random.normal(size=vectors.shape).astype(np.float32)
    data = LearnedFrom(vectors, artworks, np.arange(VECTORS) % COPIES)
    started = time.perf_counter()
    fit = fit_head(kind, Config().heads[kind], data, seed=1)
    fit.head(vectors)
    return time.perf_counter() - started
