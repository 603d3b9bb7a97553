"""Networks converted to ONNX: vectors against torchvision's own forward pass, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from simsearch.encoders.converted import ConvertedNetwork, convert
from simsearch.encoders.encoder import Encoder, Running, Weights, preprocessing_for
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.precision import worst_cosine
from simsearch.encoders.registry import get_encoder
from simsearch.errors import WeightsError
from tests.encoders.test_networks import entering, leaving, whole_network
from tests.support.networks import CONFIG, network, pixels, weights_of


def specification(name: str) -> NetworkSpecification:
    specification = get_encoder(name, CONFIG)
    assert isinstance(specification, NetworkSpecification)
    return specification


def converted(name: str, batch_size: int = 4) -> Encoder:
    encoder, weights = specification(name), weights_of(name)
    shown = preprocessing_for(encoder, "weights")
    data, _ = convert(encoder, weights, shown)
    model = Weights("a model", weights.digest, False, data, len(data))
    running = Running(shown, batch_size=batch_size, threads=1)
    return ConvertedNetwork(name, encoder.dimension).load(model, running)


REFERENCES: dict[str, Callable[[nn.Module, torch.Tensor], torch.Tensor]] = {
    "resnet18": entering("fc"),
    "squeezenet1_1": lambda whole, images: leaving("features")(whole, images).mean(dim=(2, 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_converted_vectors_are_torchvisions_own_activations(name: str) -> None:
    images = torch.from_numpy(pixels(5)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = REFERENCES[name](
            whole_network(name), (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)
        ).numpy()
    encoder = converted(name)
    vectors = encoder(pixels(5))
    assert vectors.dtype == np.float32
    assert worst_cosine(expected.astype(float), vectors.astype(float)) >= 0.99999
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(vectors / scale, expected / scale, atol=1e-5)
    alone = np.concatenate([encoder(pixels(5)[row : row + 1]) for row in range(5)])
    np.testing.assert_array_equal(vectors, alone)  # a vector does not depend on the other images


def changed(forward: type[nn.Module]) -> NetworkSpecification:
    """resnet18 with another layer before its vectors."""
    plain = specification("resnet18")
    return replace(
        plain,
        features=lambda whole: nn.Sequential(plain.features(whole), forward()),
        traceable=False,
    )


class Otherwise(nn.Module):
    """Gives other vectors once it is converted."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors.flip(1) if torch.compiler.is_exporting() else vectors


class ByItsNumbers(nn.Module):
    """Takes a branch that depends on its input, which no graph can represent."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors if float(vectors.sum()) > 0 else -vectors


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "why"), [(Otherwise, "strays to cosine 0"), (ByItsNumbers, "cannot be converted")]
)
def test_a_network_that_does_not_stay_itself_is_refused(layer: type[nn.Module], why: str) -> None:
    encoder = changed(layer)
    with pytest.raises(WeightsError, match=why) as refused:
        convert(encoder, weights_of("resnet18"), encoder.preprocessing)
    assert "\n" not in str(refused.value)
    assert network("resnet18")(pixels(1)).shape == (1, 512)
