"""The trial picture: a process passes if it decodes, scales and computes like the others, else not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simsearch.encoders.backbones.learned import encoder_of
from simsearch.encoders.encoder import Encoder, Running
from simsearch.errors import NodeError
from simsearch.extraction.embed import EmbedSettings
from simsearch.extraction.stages import StoredEmbed
from simsearch.extraction.trial import TOLERANCES, Trial, distance
from simsearch.settings.config import load_config
from tests.support.networks import weights_of
from tests.support.spaces import SPACE

CONFIG = load_config(None, ["root=/nowhere"])
TRIAL = Trial.of(CONFIG.remake().limits)


def test_a_vector_is_as_far_from_another_as_their_cosine_says() -> None:
    vector = np.array([3.0, 4.0], np.float32)
    for same in (vector, np.zeros(2, np.float32), np.full(2, np.nan, np.float32)):
        assert distance(same, same.copy()) == 0.0
    assert distance(vector, 2 * vector) == pytest.approx(0.0, abs=1e-12)
    assert distance(vector, np.array([4.0, 3.0], np.float32)) == pytest.approx(1 - 24 / 25)
    assert distance(vector, np.array([np.nan, 1.0], np.float32)) == 1.0
    assert distance(vector, np.zeros(2, np.float32)) == 1.0


@pytest.mark.slow
def test_another_filter_is_found_and_rounding_is_not() -> None:
    encoder = encoder_of(CONFIG, "efficientnet_lite0")
    shown = encoder.preprocessing
    weights = weights_of("efficientnet_lite0", "imagenet")

    def vector(precision: str = "float32", threads: int = 1, **changes: Any) -> np.ndarray:
        preprocessing = replace(shown, **changes)
        running = Running(
            preprocessing,
            precision=precision,
            mode="eval",
            device="cpu",
            batch_size=16,
            threads=threads,
        )
        return np.asarray(encoder.load(weights, running)(TRIAL.pixels(preprocessing))[0])

    right = vector()
    assert Trial.of(TRIAL.limits).picture == TRIAL.picture
    assert distance(right, vector(threads=2)) < TOLERANCES["float32"] / 10
    assert distance(right, vector("bfloat16")) < TOLERANCES["bfloat16"]
    for other in {"bilinear", "bicubic", "lanczos", "nearest"} - {shown.interpolation}:
        assert distance(right, vector(interpolation=other)) > 3 * TOLERANCES["float32"], other


class Constant:
    """A network, and its loader, that gives every picture the same vector."""

    def load(self, weights: object, running: Running) -> Encoder:
        return self

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        return np.ones((len(pixels), SPACE.dimension), np.float32)


class Refusing:
    """A counter that finds a vector wrong."""

    def __init__(self) -> None:
        self.compared: list[np.ndarray] = []

    def compare(self, space: object, vector: np.ndarray) -> str:
        self.compared.append(vector)
        return "node 10.0.0.2 computes otherwise than node 10.0.0.1"


class Weightless:
    def load(self) -> None: ...


def test_a_process_that_computes_otherwise_embeds_nothing() -> None:
    shown = encoder_of(CONFIG, "efficientnet_lite0").preprocessing
    counter = Refusing()
    embed = StoredEmbed(
        weights=[Weightless()],  # type: ignore[list-item]
        settings=[EmbedSettings(0, "pixels_0", SPACE, Constant(), shown)],
        trial=TRIAL,
        device="cpu",
        threads=1,
        batch_size=1,
        drop=["pixels_0"],
        counter=counter,
    )
    assert [vector.shape for vector in counter.compared] == [(SPACE.dimension,)]
    with pytest.raises(NodeError, match=r"node 10\.0\.0\.2 computes otherwise"):
        embed({"need": np.ones(1, np.uint64)})
