"""What a network is shown of an image: resize, crop, normalise.

PyTorch is imported only to normalise: the processes that decode images start in a tenth of the time
without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    import torch


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
        """An RGB image to uint8 [crop, crop, 3], as torchvision's transforms do it on PIL images
        (`torchvision.transforms.functional.resize` and `center_crop`, whose roundings these are)."""
        width, height = image.size
        if width <= height:
            size = self.resize, int(self.resize * height / width)
        else:
            size = int(self.resize * width / height), self.resize
        resized = image.resize(size, Image.Resampling[self.interpolation.upper()])
        left, top = (round((side - self.crop) / 2) for side in size)
        cropped = resized.crop((left, top, left + self.crop, top + self.crop))
        return np.asarray(cropped, dtype=np.uint8)

    def normalise(self, pixels: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
        """uint8 [N, H, W, 3] to `dtype` (None: float32) [N, 3, H, W] in channels-last memory,
        computed in float32."""
        import torch

        scaled = pixels.permute(0, 3, 1, 2).float().div_(255)
        mean = torch.tensor(self.mean, device=pixels.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=pixels.device).view(1, 3, 1, 1)
        return (
            scaled.sub_(mean)
            .div_(std)
            .to(dtype or torch.float32, memory_format=torch.channels_last)
        )


# Short side 224, centre crop, values 0..1: the study's code, which did not normalise.
STUDY_2018 = Preprocessing(224, 224, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
