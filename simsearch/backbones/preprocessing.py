"""What a network is shown of an image: resize, crop, normalise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from simsearch.backbones.registry import Backbone


@dataclass(frozen=True)
class Preprocessing:
    """Resize the short side to `resize` pixels, cut the middle `crop` × `crop`, scale to 0..1, then
    (x − mean) / std per channel."""

    resize: int
    crop: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def geometry(self) -> tuple[int, int, str]:
        """What decides the pixels: networks that share it share them."""
        return self.resize, self.crop, self.interpolation

    def describe(self) -> str:
        """All of it in words; part of every fingerprint."""
        normalised = "not normalised"
        if self.std != (1.0, 1.0, 1.0) or self.mean != (0.0, 0.0, 0.0):
            normalised = f"mean {self.mean}, std {self.std}"
        return f"short side {self.resize} {self.interpolation}, centre {self.crop}, {normalised}"

    def pixels(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """An RGB image to uint8 [crop, crop, 3], as torchvision's transforms do it on PIL images."""
        resized = transforms.resize(image, [self.resize], InterpolationMode(self.interpolation))
        return np.asarray(transforms.center_crop(resized, [self.crop]), dtype=np.uint8)

    def normalise(self, pixels: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """uint8 [N, H, W, 3] to `dtype` [N, 3, H, W] in channels-last memory, computed in float32."""
        scaled = pixels.permute(0, 3, 1, 2).float().div_(255)
        mean = torch.tensor(self.mean, device=pixels.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=pixels.device).view(1, 3, 1, 1)
        return scaled.sub_(mean).div_(std).to(dtype, memory_format=torch.channels_last)


# Short side 224, centre crop, values 0..1: the study's code, which did not normalise.
STUDY_2018 = Preprocessing(224, 224, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

# TensorFlow's EfficientNet-lite: MEAN_RGB 127, STDDEV_RGB 128, bicubic, crop 0.875 of the side
# (tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py).
_LITE_MEAN, _LITE_STD = 127 / 255, 128 / 255
_LITE_SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}


def preprocessing_for(backbone: Backbone, choice: str) -> Preprocessing:
    """The weights' own transforms ("weights") or the study's ("study-2018").

    torchvision's first weights are taken as the network's own where there are several (V1): they are
    what the study used and what most published files hold.
    """
    if choice == "study-2018":
        return STUDY_2018
    if backbone.name in _LITE_SIZES:
        size = _LITE_SIZES[backbone.name]
        return Preprocessing(size + 32, size, "bicubic", (_LITE_MEAN,) * 3, (_LITE_STD,) * 3)
    preset = torchvision_weights(backbone.name).transforms()
    return Preprocessing(
        resize=preset.resize_size[0],
        crop=preset.crop_size[0],
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )


def torchvision_weights(name: str) -> torchvision.models.Weights:
    """A torchvision network's published weights: its IMAGENET1K_V1 where there are, else its default."""
    enum = torchvision.models.get_model_weights(name)
    return getattr(enum, "IMAGENET1K_V1", enum.DEFAULT)
