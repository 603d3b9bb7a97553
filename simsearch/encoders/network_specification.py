"""The description of a PyTorch network and its feature layer, before its weights are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from simsearch.encoders.encoder import Encoder, Running, Weights
from simsearch.encoders.network import Network
from simsearch.encoders.weights import Undrawn, WeightSources
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.sections.operation import StorageConfig


@dataclass(frozen=True)
class NetworkSpecification:
    """A `simsearch.encoders.encoder.Specification` of a PyTorch network.

    `features(network)` turns the whole network that `sources` builds into a module from images
    [N, 3, H, W] to vectors [N, dimension]. `traceable` says whether `torch.fx` can follow the network. If
    not, `maps(network)` makes the module from images to the last feature map [N, C, h, w], or None.
    `convertible` says whether the network is worth converting for ONNX Runtime.
    """

    dimension: int
    layer: str
    licence: str
    preprocessing: Preprocessing
    sources: WeightSources
    features: Callable[[nn.Module], nn.Module]
    can_run_as_studied: bool = False
    traceable: bool = True
    convertible: bool = False
    maps: Callable[[nn.Module], nn.Module | None] | None = None
    precision: str | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.sources.name

    def module(self) -> nn.Module:
        """The module from images to vectors, with the weights that `build` gives."""
        return self.features(self.sources.build())

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:
        return self.sources.resolve(sources, config)

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:
        return self.sources.at_hand(sources, config)

    def load(self, weights: Weights, running: Running) -> Encoder:
        if running.threads is not None:
            torch.set_num_threads(running.threads)
        module = self.fill(weights)
        maps = self.maps(module) if self.maps else None
        return Network(module, running, fused=self.traceable, maps=maps)

    def fill(self, weights: Weights) -> nn.Module:
        """The module from images to vectors, with these `weights`."""
        with Undrawn():
            whole = self.sources.build()
        # Not load_state_dict, which asks for version marks (MNASNet) that weight files do not have. Keys
        # and shapes were checked when the weights were resolved.
        for key, tensor in whole.state_dict().items():
            tensor.copy_(weights.content[key])
        return self.features(whole)


def dimension_of(module: nn.Module, side: int) -> int:
    """The number of values that a module makes of an image [3, side, side]. A skeleton computes nothing."""
    device = next((tensor.device for tensor in module.state_dict().values()), None)
    with torch.inference_mode():
        vectors: torch.Tensor = module.eval()(torch.zeros(1, 3, side, side, device=device))
    return vectors.shape[1]


def last_linear(network: nn.Module) -> tuple[str, nn.Linear] | None:
    """A classification network's last fully connected layer and its path. None if it has none."""
    layers = [
        (path, module) for path, module in network.named_modules() if isinstance(module, nn.Linear)
    ]
    return layers[-1] if layers else None


def before_last_linear(network: nn.Module) -> nn.Module:
    """The network up to the input of its last fully connected layer."""
    last = last_linear(network)
    assert last is not None
    network.set_submodule(last[0], nn.Identity())
    return network
