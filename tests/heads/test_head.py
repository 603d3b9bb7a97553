"""A head's form: applied, stored, read back, refused."""

from itertools import pairwise

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.encoders.heads import head as heads
from simsearch.encoders.heads.head import Head, Layer
from simsearch.errors import WeightsError


def _head(widths: list[int], seed: int = 0) -> Head:
    random = np.random.default_rng(seed)
    return Head(
        tuple(
            Layer(
                random.normal(size=(a, b)).astype(np.float32),
                random.normal(size=b).astype(np.float32),
            )
            for a, b in pairwise(widths)
        )
    )


def test_a_head_is_pytorchs_multilayer_perceptron_on_unit_vectors() -> None:
    head = _head([6, 9, 4])
    vectors = np.random.default_rng(1).normal(size=(20, 6)).astype(np.float32)
    first, second = torch.nn.Linear(6, 9), torch.nn.Linear(9, 4)
    for linear, layer in zip((first, second), head.layers, strict=True):
        linear.weight.data = torch.from_numpy(layer.weight.T.copy())
        linear.bias.data = torch.from_numpy(layer.bias.copy())
    given_vectors = torch.nn.functional.normalize(torch.from_numpy(vectors))
    expected = second(torch.relu(first(given_vectors))).detach().numpy()
    np.testing.assert_allclose(head(vectors), expected, atol=1e-5)


def test_a_vector_does_not_depend_on_how_many_are_asked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = _head([6, 4])
    vectors = np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32)
    whole = head(vectors)
    monkeypatch.setattr(heads, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(head(vectors), whole, atol=1e-6)
    assert head(vectors[:0]).shape == (0, 4)


@pytest.mark.slow
@settings(deadline=None)
@given(widths=st.lists(st.integers(1, 5), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_a_stored_head_comes_back_whole(widths: list[int], seed: int) -> None:
    head = _head(widths, seed)
    again = Head.from_bytes(head.to_bytes(), "here")
    assert again.to_bytes() == head.to_bytes()
    assert again.digest == head.digest
    assert (again.input_dimension, again.dimension) == (widths[0], widths[-1])


WEIGHT, BIAS = np.zeros((2, 3), np.float32), np.zeros(3, np.float32)


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"layers.0.weight": WEIGHT},
        {"layers.0.weight": WEIGHT, "other": BIAS},
        {"layers.0.weight": WEIGHT, "layers.0.bias": np.zeros(2, np.float32)},
        {"layers.0.weight": WEIGHT.astype(np.float64), "layers.0.bias": BIAS},
        {
            "layers.0.weight": WEIGHT,
            "layers.0.bias": BIAS,
            "layers.1.weight": WEIGHT,
            "layers.1.bias": BIAS,
        },
    ],
)
def test_a_file_that_is_no_head_is_refused_by_name(tensors: dict[str, np.ndarray]) -> None:
    with pytest.raises(WeightsError, match=r"^s3://b/head: not a head of simsearch's"):
        Head.from_bytes(safetensors.numpy.save(tensors), "s3://b/head")


def test_bytes_that_are_no_safetensors_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"^here: not a head"):
        Head.from_bytes(b"\x80\x04cos\nsystem\n", "here")


def test_vectors_of_another_encoder_are_refused() -> None:
    with pytest.raises(WeightsError, match="takes vectors of 6 numbers, these have 5"):
        _head([6, 4])(np.zeros((3, 5), np.float32))
