"""What is known of a PyTorch network and the layer that is taken, before its weights are read."""

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
    [N, 3, H, W] to vectors [N, dimension]. `traceable`: whether `torch.fx` can follow it; where it
    cannot, `maps(network)` makes the module to the last feature map [N, C, h, w], None if none.
    `convertible`: whether it is worth running converted, by ONNX Runtime.
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
        """From images to vectors, its numbers those that `build` gives."""
        return self.features(self.sources.build())

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:
        return self.sources.resolve(sources, config)

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:
        return self.sources.at_hand(sources, config)

    def load(self, weights: Weights, running: Running) -> Encoder:
        if running.threads is not None:
            torch.set_num_threads(running.threads)
        module = self.filled(weights)
        maps = self.maps(module) if self.maps else None
        return Network(module, running, fused=self.traceable, maps=maps)

    def filled(self, weights: Weights) -> nn.Module:
        """From images to vectors, its numbers those of `weights`."""
        with Undrawn():
            whole = self.sources.build()
        # Not load_state_dict, which wants version marks (MNASNet) that weight files do not carry;
        # keys and shapes were checked when the weights were resolved.
        for key, tensor in whole.state_dict().items():
            tensor.copy_(weights.content[key])
        return self.features(whole)


def dimension_of(module: nn.Module, side: int) -> int:
    """How many numbers a module makes of an image [3, side, side]; a skeleton's computes nothing."""
    device = next((tensor.device for tensor in module.state_dict().values()), None)
    with torch.inference_mode():
        vectors: torch.Tensor = module.eval()(torch.zeros(1, 3, side, side, device=device))
    return vectors.shape[1]


def last_linear(network: nn.Module) -> tuple[str, nn.Linear] | None:
    """A classification network's last fully connected layer, by its path; None where it has none."""
    layers = [
        (path, module) for path, module in network.named_modules() if isinstance(module, nn.Linear)
    ]
    return layers[-1] if layers else None


def before_last_linear(network: nn.Module) -> nn.Module:
    """The network up to what enters its last fully connected layer."""
    last = last_linear(network)
    assert last is not None
    network.set_submodule(last[0], nn.Identity())
    return network
