"""Pictures and vectors to measure with, seeded."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa

from simsearch.catalog.readers.generated import image_bytes
from simsearch.catalog.sampling import seeded_sample
from simsearch.features.vectors import Vectors

SEED = 9
COPY_NOISE = 0.05
LATENT = 256  # the vectors' variance falls off over so many directions, as that of features does


def fill(folder: Path, count: int, paintings: Path | None) -> str:
    """Put `count` pictures into a new folder. Returns their number and kind in words."""
    folder.mkdir(parents=True)
    if paintings is None:
        draw(folder, [(number, number) for number in range(count)])
        return f"{count:,} generated pictures"
    names = [path.name for path in sorted(paintings.iterdir())]
    chosen = sorted(seeded_sample(names, min(count, len(names)), SEED))
    for name in chosen:
        shutil.copyfile(paintings / name, folder / name)
    return f"{len(chosen):,} real paintings"


def draw(folder: Path, numbers: list[tuple[int, int]]) -> None:
    """Draw generated artwork `number` into the file of `name`, for each (name, number)."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_draw, folder), numbers, chunksize=100))


def _draw(folder: Path, numbers: tuple[int, int]) -> None:
    name, number = numbers
    (folder / f"{name:06}.jpg").write_bytes(image_bytes(SEED, number))


def feature_like(items: int, dimension: int, seed: int = SEED) -> Vectors:
    """Vectors [items, dimension] like a network's. They are a mixture of Gaussians, one centre per 50 items,
    in 256 random directions of falling variance. A little noise in all directions is added, then a ReLU."""
    random = np.random.default_rng(seed)
    spread = np.arange(1, LATENT + 1, dtype=np.float32) ** -0.5
    layout = random.standard_normal((LATENT, dimension), np.float32)
    centres = random.standard_normal((items // 50 + 1, LATENT), np.float32)
    vectors = np.empty((items, dimension), dtype=np.float32)
    for start in range(0, items, 10_000):
        rows = len(vectors[start : start + 10_000])
        latent = centres[random.integers(0, len(centres), rows)]
        latent = latent + 0.5 * random.standard_normal((rows, LATENT), np.float32)
        noise = 0.3 * random.standard_normal((rows, dimension), np.float32)
        vectors[start : start + rows] = np.maximum(latent * spread @ layout + noise, 0)
    return vectors


def given_vectors(images: pa.Table, dimension: int) -> Vectors:
    """Vectors [images, dimension] for schemas.IMAGES rows: originals' are like a network's, and a copy's is
    its original's, moved a little."""
    names, artwork = np.unique(images["artwork_id"].to_numpy(), return_inverse=True)
    vectors = feature_like(len(names), dimension)
    noise = COPY_NOISE * float(vectors.std())
    vectors = vectors[artwork]
    random = np.random.default_rng(SEED)
    for row in np.flatnonzero(np.asarray(images["profile"].is_valid())):
        vectors[row] += noise * random.standard_normal(dimension, np.float32)
    return vectors
