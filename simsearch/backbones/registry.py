"""Which networks there are, and which layer of each is the feature vector."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torchvision
from torch import nn

from simsearch.errors import UnknownNameError

_TORCHVISION = "torchvision"
_LITE = "efficientnet_lite"


@dataclass(frozen=True)
class Backbone:
    """A network and the layer that is taken.

    `build()` makes the whole network, its `state_dict` in the keys of its published weights, without
    loading any; `features(network)` turns it into a module from images [N, 3, H, W] to vectors
    [N, dimension].
    """

    name: str
    dimension: int
    layer: str
    family: str
    build: Callable[[], nn.Module]
    features: Callable[[nn.Module], nn.Module]


def backbone_names() -> list[str]:
    """Every name that `get_backbone` knows, sorted."""
    return sorted({*torchvision.models.list_models(module=torchvision.models), *_LITE_NAMES})


@functools.cache
def get_backbone(name: str) -> Backbone:
    """The backbone of that name. Raises UnknownNameError listing those there are.

    The study's layers are named; for any other classification network it is what enters the last
    fully connected layer, for SqueezeNets, which have none, the pooled feature maps.
    """
    if name not in backbone_names():
        raise UnknownNameError("backbone", name, backbone_names())
    family = _LITE if name in _LITE_NAMES else _TORCHVISION
    build = functools.partial(_build_lite if family == _LITE else _build_torchvision, name)
    network = skeleton(build)
    if name.startswith("squeezenet"):
        layer, features = "features, averaged over positions", _pooled_features
        dimension = 512
    elif name.startswith("vgg16"):
        layer, features = "classifier[:4], the second linear layer before its ReLU", _vgg_features
        dimension = 4096
    else:
        last = _last_linear(network)
        if last is None:
            raise UnknownNameError(
                "backbone with a fully connected last layer", name, backbone_names()
            )
        layer, features = f"input of {last[0]}, the last linear layer", _before_last_linear
        dimension = last[1].in_features
    return Backbone(name, dimension, layer, family, build, features)


def skeleton(build: Callable[[], nn.Module]) -> nn.Module:
    """The network without its numbers where it can be made so, which is 100 times faster."""
    try:
        with torch.device("meta"):
            return build()
    except NotImplementedError:  # RegNets compute their widths with tensors
        return build()


def _build_torchvision(name: str) -> nn.Module:
    # Inception and GoogLeNet carry side classifiers in their published weights.
    extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, **extra)
    return network


_LITE_NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def _build_lite(name: str) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name(name.replace("_", "-"))
    return network


def _last_linear(network: nn.Module) -> tuple[str, nn.Linear] | None:
    found = [
        (path, module) for path, module in network.named_modules() if isinstance(module, nn.Linear)
    ]
    return found[-1] if found else None


def _before_last_linear(network: nn.Module) -> nn.Module:
    found = _last_linear(network)
    assert found is not None
    network.set_submodule(found[0], nn.Identity())
    return network


def _vgg_features(network: nn.Module) -> nn.Module:
    network.classifier = network.get_submodule("classifier")[:4]  # type: ignore[index]
    return network


def _pooled_features(network: nn.Module) -> nn.Module:
    return nn.Sequential(network.get_submodule("features"), nn.AdaptiveAvgPool2d(1), nn.Flatten())
