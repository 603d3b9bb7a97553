"""What an encoder is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


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


def skeleton(build: Callable[[], nn.Module]) -> nn.Module:
    """The network without its numbers where it can be made so, which is 100 times faster."""
    try:
        with torch.device("meta"):
            return build()
    except NotImplementedError:  # RegNets compute their widths with tensors
        return build()
