"""The number format is chosen by what rounding does to trial vectors."""

from __future__ import annotations

import numpy as np
import pytest

from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.precision import choose_precision, fast_precisions, trial_pixels
from simsearch.encoders.registry import get_encoder
from tests.support.networks import CONFIG, network, weights_of


@pytest.mark.slow
def test_automatic_precision_refuses_a_network_that_rounding_hurts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """EfficientNet-Lite1 on real paintings in grey: within cosine 0.93 of float32 only."""
    monkeypatch.setattr(
        "simsearch.encoders.precision.fast_precisions", lambda _device: ("bfloat16",)
    )
    encoder = get_encoder("efficientnet_lite1", CONFIG)
    weights = weights_of("efficientnet_lite1", "imagenet")
    preprocessing = preprocessing_for(encoder, "weights")
    precision, reason = choose_precision(encoder, weights, preprocessing, device="cpu")
    assert precision == "float32"
    assert reason.startswith("bfloat16 strays")


def test_automatic_precision_keeps_vectors_within_the_bound() -> None:
    encoder, weights = get_encoder("squeezenet1_1", CONFIG), weights_of("squeezenet1_1")
    preprocessing = preprocessing_for(encoder, "weights")
    precision, reason = choose_precision(encoder, weights, preprocessing, device="cpu")
    assert reason
    assert precision in ("float32", *fast_precisions("cpu"))
    images = trial_pixels(preprocessing.crop)
    exact, chosen = (
        network("squeezenet1_1", weights, precision=number_type)(images)
        for number_type in ("float32", precision)
    )
    cosine = (
        (exact * chosen).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(chosen, axis=1)
    )
    assert cosine.min() >= 0.999
