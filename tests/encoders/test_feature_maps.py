"""A network's features by place in the picture: pooled, they are the network's own vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from simsearch.encoders.backbones import sscd
from simsearch.encoders.encoder import Running, SpatialEncoder
from simsearch.encoders.network import Network
from tests.support.networks import network, pixels


def spatial(name: str, **given: str) -> SpatialEncoder:
    encoder = network(name, **given)  # type: ignore[arg-type]
    assert isinstance(encoder, SpatialEncoder)
    return encoder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("mobilenet_v2", 7),
        ("densenet121", 7),
        ("squeezenet1_1", 13),
        ("efficientnet_lite0", 7),
    ],
)
def test_averaged_over_positions_a_map_is_the_vector(name: str, cells: int) -> None:
    encoder = spatial(name)
    vectors, maps = encoder(pixels()), encoder.feature_map(pixels())
    assert maps is not None
    assert maps.shape == (2, cells, cells, vectors.shape[1])
    assert maps.dtype == np.float32
    scale = float(np.abs(vectors).max())
    np.testing.assert_allclose(maps.mean(axis=(1, 2)) / scale, vectors / scale, atol=1e-5)
    np.testing.assert_array_equal(encoder(pixels()), vectors)  # asking for maps changes nothing


@pytest.mark.slow
def test_sscds_map_pooled_by_its_own_power_mean_is_its_vector() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        whole = sscd.build()
    linear = whole.fc.weight.detach().numpy().T, whole.fc.bias.detach().numpy()  # type: ignore[union-attr, operator]
    encoder = Network(sscd._add_unit_length(whole), Running(sscd.NORMALISED))
    shown = np.random.default_rng(2).integers(0, 256, (1, 288, 288, 3), dtype=np.uint8)
    maps = encoder.feature_map(shown)
    assert maps is not None
    assert maps.shape == (1, 9, 9, 2048)
    pooled = np.power(np.power(np.maximum(maps, 1e-6), 3).mean(axis=(1, 2)), 1 / 3)
    vector = pooled @ linear[0] + linear[1]
    np.testing.assert_allclose(vector / np.linalg.norm(vector), encoder(shown), atol=1e-5)


@pytest.mark.slow
def test_timms_maps_are_what_it_pools_and_its_transformers_have_none() -> None:
    pytest.importorskip("timm")
    encoder = spatial("timm:test_resnet")
    shown = np.random.default_rng(3).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8)
    maps = encoder.feature_map(shown)
    assert maps is not None
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), encoder(shown), atol=1e-5)
    assert spatial("timm:test_vit").feature_map(shown[:1]) is None


@pytest.mark.slow
def test_batch_statistics_give_no_map() -> None:
    assert spatial("mobilenet_v2", mode="study-2018").feature_map(pixels()) is None


@pytest.mark.slow
@pytest.mark.parametrize("corner", [np.s_[:40, :40], np.s_[:40, -40:], np.s_[-40:, :40]])
def test_a_map_lies_as_the_picture_does(corner: tuple[slice, slice]) -> None:
    plain = np.full((1, 224, 224, 3), 90, dtype=np.uint8)
    changed = plain.copy()
    changed[0][corner] = 255 - pixels(1)[0][corner]
    look: Callable[[np.ndarray], np.ndarray | None] = spatial("squeezenet1_1").feature_map
    plain_map, changed_map = look(plain), look(changed)
    assert plain_map is not None
    assert changed_map is not None
    differences = np.linalg.norm(plain_map - changed_map, axis=3)[0]
    row, column = np.unravel_index(differences.argmax(), differences.shape)
    middle = differences.shape[0] // 2
    assert (row < middle, column < middle) == (
        corner[0].start is None,
        corner[1].start is None,
    )
