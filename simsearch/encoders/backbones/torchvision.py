"""torchvision's networks: the layers taken as features, and where their published weights come from."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path

import torch
import torchvision
from torch import nn

from simsearch.encoders.encoder import Backbone
from simsearch.encoders.weight_files import State, _hash_in, _load, _NotHereError

_TORCHVISION = "torchvision"


def _build_torchvision(name: str) -> nn.Module:
    # Inception and GoogLeNet carry side classifiers in their published weights.
    extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, **extra)
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


def torchvision_weights(name: str) -> torchvision.models.Weights:
    """A torchvision network's published weights: its IMAGENET1K_V1 where there are, else its default."""
    enum = torchvision.models.get_model_weights(name)
    return getattr(enum, "IMAGENET1K_V1", enum.DEFAULT)


PROBE_SECONDS = 5  # a network that is not there is noticed before a long download is tried

# DenseNet's published file has keys such as `norm.1` that no module can have any more.
_OLD_DENSENET_KEY = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
)


def _published(backbone: Backbone) -> tuple[str, State]:
    url = torchvision_weights(backbone.name).url
    name = url.rpartition("/")[2]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not cached.exists():
        _probe(url)
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(
                url, str(cached), hash_prefix=_hash_in(name), progress=False
            )
        except (OSError, RuntimeError) as error:
            raise _NotHereError(f"download of {name} failed: {error}") from None
    return f"torchvision, {name}", _load(name, cached.read_bytes())


def _probe(url: str) -> None:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  (torchvision's own https address)
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):  # noqa: S310
            return
    except (OSError, urllib.error.URLError) as error:
        raise _NotHereError(f"not cached and cannot be downloaded: {error}") from None
