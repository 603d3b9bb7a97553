"""Which networks there are, and which layer of each is the feature vector."""

from __future__ import annotations

import functools

import torchvision

from simsearch.encoders.backbones.efficientnet_lite import _LITE, _LITE_NAMES, _build_lite
from simsearch.encoders.backbones.torchvision import (
    _TORCHVISION,
    _before_last_linear,
    _build_torchvision,
    _last_linear,
    _pooled_features,
    _vgg_features,
)
from simsearch.encoders.encoder import Backbone, skeleton
from simsearch.errors import UnknownNameError


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
