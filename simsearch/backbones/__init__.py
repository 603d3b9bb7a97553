"""The networks: what they are, what they see, where their weights come from, how they run."""

from simsearch.backbones.network import Network
from simsearch.backbones.precision import choose_precision
from simsearch.backbones.preprocessing import preprocessing_for
from simsearch.backbones.registry import Backbone, backbone_names, get_backbone
from simsearch.backbones.weights import Weights, resolve_weights

__all__ = [
    "Backbone",
    "Network",
    "Weights",
    "backbone_names",
    "choose_precision",
    "get_backbone",
    "preprocessing_for",
    "resolve_weights",
]
