"""Encoders at work with the weights that a test asks for, random ones by default."""

from __future__ import annotations

import numpy as np

from simsearch.encoders.encoder import Encoder, Running, Weights, preprocessing_for
from simsearch.encoders.registry import get_encoder
from simsearch.settings.sections.operation import StorageConfig

CONFIG = StorageConfig()


def weights_of(name: str, *sources: str) -> Weights:
    return get_encoder(name, CONFIG).weights(sources or ("random:0",), CONFIG)


def network(
    name: str,
    weights: Weights | None = None,
    *,
    precision: str = "float32",
    mode: str = "eval",
    batch_size: int = 2,
    preprocessing: str = "weights",
) -> Encoder:
    encoder = get_encoder(name, CONFIG)
    shown = preprocessing_for(encoder, preprocessing)
    return encoder.load(
        weights or weights_of(name), Running(shown, precision, mode, batch_size=batch_size)
    )


def pixels(count: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)
