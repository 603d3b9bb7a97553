"""The networks: what they are, what they see, where their weights come from, how they run."""

from simsearch.encoders.encoder import Backbone
from simsearch.encoders.network import Network
from simsearch.encoders.precision import choose_precision
from simsearch.encoders.preprocessing import preprocessing_for
from simsearch.encoders.registry import backbone_names, get_backbone
from simsearch.encoders.weight_files import Weights
from simsearch.encoders.weights import resolve_weights

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
