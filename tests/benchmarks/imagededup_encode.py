"""Runs in the peer's own environment, which has none of our code: encode a folder with imagededup."""

from __future__ import annotations

import json
import sys
import time

STARTED = time.perf_counter()

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from imagededup.methods import CNN  # type: ignore[import-not-found]  # noqa: E402
from imagededup.utils import CustomModel  # type: ignore[import-not-found]  # noqa: E402
from torchvision import transforms  # noqa: E402

asked = json.loads(sys.argv[1])
whole = torchvision.models.get_model(asked["network"], weights=None)
whole.load_state_dict(torch.load(asked["weights"], weights_only=True))
model = torch.nn.Sequential(whole.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
transform = transforms.Compose(
    [
        transforms.Resize(asked["resize"]),
        transforms.CenterCrop(asked["crop"]),
        transforms.ToTensor(),
        transforms.Normalize(asked["mean"], asked["std"]),
    ]
)
custom = CustomModel(name=asked["network"], model=model.eval(), transform=transform)
encoder = CNN(verbose=False, model_config=custom)
loaded = time.perf_counter()
vectors = encoder.encode_images(asked["pictures"], num_enc_workers=asked["workers"])
done = time.perf_counter()
np.savez(asked["out"], names=list(vectors), vectors=np.stack(list(vectors.values())))
rates = {"rate": len(vectors) / (done - loaded), "rate_with_start": len(vectors) / (done - STARTED)}
print(json.dumps(rates))
