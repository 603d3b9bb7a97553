"""torchvision's classification networks, with weights that torchvision publishes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from simsearch.encoders.downloads import probe
from simsearch.encoders.network_specification import (
    NetworkSpecification,
    before_last_linear,
    last_linear,
)
from simsearch.encoders.weight_files import NotHereError, State, hash_in, load_state
from simsearch.encoders.weights import WeightSources, skeleton
from simsearch.errors import UnknownNameError
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.sections.operation import StorageConfig

# DenseNet's published file has keys such as `norm.1` that no module can have any more.
_OLD_DENSENET_KEY = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
)

# Networks trained in TensorFlow on values from -1 to 1. They take images normalised with ImageNet's mean
# and standard deviation, and normalise the images a second time.
NORMALISED_AGAIN = ("googlenet", "inception_v3")

# Networks that ONNX Runtime runs faster than PyTorch. Its speed relative to PyTorch's on two AVX2 cores
# (benchmark `engine`): SqueezeNet 1.33, ResNet152 1.18, VGG16 1.14, DenseNet201 (whose layers mostly copy)
# 0.87; on one busy core MobileNetV2 0.93, EfficientNet-Lite0 0.73. Add a network here once `make bench`
# shows that it is faster.
FASTER_CONVERTED = ("squeezenet", "resnet152", "vgg16")


@dataclass(frozen=True)
class Torchvision:
    """The family of torchvision's networks. The vectors of the study's networks are from the study's layers.
    Those of other networks are the input of the last fully connected layer or, in SqueezeNets, which have
    no such layer, the pooled feature maps."""

    name: str = "torchvision"

    def names(self) -> Sequence[str]:
        return tuple(_models().list_models(module=_models()))

    def specification(self, name: str, config: StorageConfig) -> NetworkSpecification:  # noqa: ARG002
        return _specification(name)


FAMILY = Torchvision()


def _models() -> Any:
    # Imported here, not above: torchvision imports PyTorch's compiler, which takes as long as the rest of
    # PyTorch in each actor, and most encoders need neither.
    from torchvision import models

    return models


@functools.cache
def _specification(name: str) -> NetworkSpecification:
    if name not in FAMILY.names():
        raise UnknownNameError("encoder", name, FAMILY.names())
    published = published_weights(name)
    build = functools.partial(_build, name)
    dimension, layer, features = _features(name, build)
    preset = published.transforms()
    return NetworkSpecification(
        dimension=dimension,
        layer=layer,
        licence=published.meta.get("license", "BSD-3-Clause"),
        preprocessing=Preprocessing(
            resize=preset.resize_size[0],
            crop=preset.crop_size[0],
            interpolation=preset.interpolation.value,
            mean=tuple(preset.mean),
            std=tuple(preset.std),
        ),
        sources=WeightSources(
            name,
            build,
            _Download(published.url),
            _update_keys,
            others=_other_weights(name, published),
        ),
        features=features,
        can_run_as_studied=True,
        convertible=name.startswith(FASTER_CONVERTED),
    )


def published_weights(name: str) -> Any:
    """torchvision's default weights, or its first ones (V1) if there are several: the study used these,
    and most published files hold them."""
    enum = _models().get_model_weights(name)
    return getattr(enum, "IMAGENET1K_V1", enum.DEFAULT)


def _other_weights(name: str, published: Any) -> dict[str, str]:
    """The fault of files with torchvision's other weights of a network, which were trained with another
    preprocessing, by the first digits of the file's SHA-256."""
    file = published.url.rpartition("/")[2]
    return {
        hash_in(weights.url)
        or weights.url: f"holds {weights.name} and not {published.name}, which "
        f"{name} stands for and is shown images for; put {file} there"
        for weights in _models().get_model_weights(name)
        if weights is not published
    }


def _build(name: str) -> nn.Module:
    """The network as torchvision builds it for the published weights, with the side classifiers in the
    files of GoogLeNet and Inception."""
    network: nn.Module = _models().get_model(name, weights=None, **_published_arguments(name))
    return network


def _published_arguments(name: str) -> dict[str, Any]:
    """The arguments that torchvision's builder functions set for given weights. torchvision does this in
    `_ovewrite_named_param`, which works only together with a download."""
    meta = published_weights(name).meta
    arguments: dict[str, Any] = {"num_classes": len(meta["categories"])}
    if name in NORMALISED_AGAIN:
        # By default torchvision draws no initial weights here. `random:<seed>` needs them.
        arguments |= {"transform_input": True, "init_weights": True}
    elif name.startswith("vit_"):
        arguments["image_size"] = meta["min_size"][0]
    elif name.startswith("maxvit_"):
        arguments["input_size"] = meta["min_size"]
    return arguments


def _features(
    name: str, build: Callable[[], nn.Module]
) -> tuple[int, str, Callable[[nn.Module], nn.Module]]:
    """The dimension of the feature vector, its layer in words, and the function that cuts the network
    there."""
    if name.startswith("squeezenet"):
        return 512, "features, averaged over positions", _pool_features
    if name.startswith("vgg16"):
        layer = "classifier[:4], the second linear layer before its ReLU"
        return 4096, layer, _second_linear
    last = last_linear(skeleton(build))
    assert last is not None
    layer = f"input of {last[0]}, the last linear layer"
    if name in NORMALISED_AGAIN:
        return last[1].in_features, f"{layer}; images from -1 to 1", _main_branch
    return last[1].in_features, layer, before_last_linear


def _main_branch(network: nn.Module) -> nn.Module:
    """The network without its side classifiers, which would add outputs in training mode."""
    network.aux_logits = False  # type: ignore[assignment]
    for side in ("aux1", "aux2", "AuxLogits"):
        if hasattr(network, side):
            setattr(network, side, None)
    return before_last_linear(network)


def _second_linear(network: nn.Module) -> nn.Module:
    network.classifier = network.get_submodule("classifier")[:4]  # type: ignore[index]
    return network


def _pool_features(network: nn.Module) -> nn.Module:
    return nn.Sequential(network.get_submodule("features"), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _update_keys(state: State) -> State:
    return {_OLD_DENSENET_KEY.sub(r"\1\2", key): tensor for key, tensor in state.items()}


@dataclass(frozen=True)
class _Download:
    """Weights at torchvision's own address, kept in PyTorch's cache."""

    url: str

    @property
    def _name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def _cached(self) -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints" / self._name

    def at_hand(self) -> str | None:
        return f"torchvision, {self._name}" if self._cached.exists() else None

    def read(self) -> tuple[str, State]:
        if not self._cached.exists():
            probe(self.url)
            self._cached.parent.mkdir(parents=True, exist_ok=True)
            try:
                torch.hub.download_url_to_file(
                    self.url, str(self._cached), hash_prefix=hash_in(self._name), progress=False
                )
            except (OSError, RuntimeError) as error:
                raise NotHereError(f"download of {self._name} failed: {error}") from None
        return f"torchvision, {self._name}", load_state(self._name, self._cached.read_bytes())
