"""The engine that computes a network is chosen by hardware, amount of work and stored vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.extraction.engine import choose_engine, runs_faster_converted
from simsearch.features.space import ONNX_RUNTIME, PYTORCH, Engine, FeatureSpace

COUNTS = st.integers(0, 10**6)

SPACE = FeatureSpace(
    "a", "vgg16", "fc", 4096, "here", "d" * 64, True, "crop", "eval", "float32", "#fff", "mild"
)


def choose(
    wanted: int,
    *,
    faster: bool = True,
    by_pytorch: int = 0,
    by_onnx_runtime: int = 0,
    converted: bool = False,
) -> Engine:
    held = {PYTORCH: by_pytorch, ONNX_RUNTIME: by_onnx_runtime}
    return choose_engine(faster=faster, wanted=wanted, held=held, converted=converted)[0]


@pytest.mark.parametrize(
    ("machine", "tiles", "faster"),
    [
        ("x86_64", False, True),
        ("AMD64", False, True),
        ("x86_64", True, False),
        ("aarch64", False, False),
    ],
)
def test_only_processors_like_the_measured_ones_are_faster(
    machine: str, tiles: bool, faster: bool
) -> None:
    assert runs_faster_converted(machine, tiles=tiles) is faster


def test_converting_has_to_pay() -> None:
    assert choose(300) == PYTORCH
    assert choose(100_000) == ONNX_RUNTIME
    assert choose(100_000, faster=False) == PYTORCH
    assert choose(300, converted=True) == ONNX_RUNTIME
    assert choose(300, converted=True, faster=False) == PYTORCH


def test_a_first_trial_does_not_bind_a_large_collection() -> None:
    assert choose(60_000, by_pytorch=300) == ONNX_RUNTIME
    assert choose(60_000, by_pytorch=55_000) == PYTORCH


@pytest.mark.slow
@given(COUNTS, COUNTS, COUNTS, st.booleans(), st.booleans(), st.integers(0, 10**6))
def test_an_engine_goes_on_with_what_it_began(
    wanted: int, by_pytorch: int, by_onnx_runtime: int, faster: bool, converted: bool, done: int
) -> None:
    held = {PYTORCH: by_pytorch, ONNX_RUNTIME: by_onnx_runtime}
    engine, _ = choose_engine(faster=faster, wanted=wanted, held=held, converted=converted)
    later = {**held, engine: held[engine] + done}
    kept = converted or engine == ONNX_RUNTIME
    again, _ = choose_engine(faster=faster, wanted=wanted, held=later, converted=kept)
    assert again == engine


@pytest.mark.slow
@given(st.integers(1, 10**6), st.integers(0, 10**4), st.booleans())
def test_a_night_extends_the_space_that_is_there(stored: int, new: int, faster: bool) -> None:
    assert choose(stored + new, by_onnx_runtime=stored, converted=True, faster=faster) == (
        ONNX_RUNTIME
    )
    if not faster:
        assert choose(stored + new, by_pytorch=stored, faster=False) == PYTORCH


def test_another_engine_is_another_space_and_pytorchs_stay_what_they_were() -> None:
    assert SPACE.fingerprint == "vgg16-3b3238f461d9c8b8"
    assert "engine" not in SPACE.to_json()
    other = replace(SPACE, engine=ONNX_RUNTIME)
    assert other.fingerprint != SPACE.fingerprint
    for space in (SPACE, other):
        assert FeatureSpace.from_json(space.to_json()) == space
