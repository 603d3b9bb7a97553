"""The number format is chosen by what rounding does to trial vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.precision import (
    choose_precision,
    fast_precisions,
    has_tiles,
    trial_pixels,
)
from simsearch.encoders.registry import get_encoder
from tests.support.machines import PLAIN, TILES, Machine
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


@pytest.mark.slow
@pytest.mark.parametrize(("machine", "chosen"), [(PLAIN, "float32"), (TILES, "bfloat16")], ids=str)
def test_automatic_precision_keeps_vectors_within_the_bound(
    machine: Machine, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.simulate(monkeypatch)
    encoder, weights = get_encoder("squeezenet1_1", CONFIG), weights_of("squeezenet1_1")
    preprocessing = preprocessing_for(encoder, "weights")
    precision, reason = choose_precision(encoder, weights, preprocessing, device="cpu")
    assert reason
    assert precision == chosen
    images = trial_pixels(preprocessing.crop)
    exact, rounded = (
        network("squeezenet1_1", weights, precision=number_type)(images)
        for number_type in ("float32", precision)
    )
    cosine = (
        (exact * rounded).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    )
    assert cosine.min() >= 0.999


@pytest.mark.parametrize(
    ("limit", "tiles"),
    [
        (None, True),
        ("DEFAULT", True),
        ("avx512_core_amx", True),
        ("AVX512_CORE_FP16", False),
        ("AVX2", False),
    ],
)
def test_tiles_that_onednn_may_not_use_do_not_count(
    limit: str | None, tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    TILES.simulate(monkeypatch)
    if limit is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert has_tiles() is tiles
    assert fast_precisions("cpu") == (("bfloat16",) if tiles else ())


@pytest.mark.slow
def test_processes_take_their_cpu_for_one_with_tiles_where_tests_ask_for_it() -> None:
    folder = Path(__file__).parents[1] / "support" / "tiles"
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
    environment.pop("ONEDNN_MAX_CPU_ISA", None)
    asked = "from simsearch.encoders.precision import has_tiles; print(has_tiles())"
    answer = subprocess.run(
        [sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "True"
