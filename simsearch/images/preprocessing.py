"""The preprocessing of an image for a network: resize, crop, normalise.

PyTorch is imported only to normalise. Without it, the processes that decode images start in a tenth of
the time.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    import torch


# Largest number of pixels to which a whole picture is resized, 64 MB. Of a larger one, only the middle
# is resized.
LARGEST_RESIZED = 2**24

Fit = Literal["crop", "square", "pad"]


@dataclass(frozen=True)
class Preprocessing:
    """Resize, cut the middle `crop` × `crop`, scale to 0..1, then (x − mean) / std per channel.

    `fit` is the way to make a picture square. "crop" resizes the short side to `resize` pixels and cuts
    off the ends of the long one. "square" resizes both sides to `resize`, which changes the aspect ratio.
    "pad" resizes the long side to `resize` and fills up with `fill`.
    """

    resize: int
    crop: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit = "crop"
    fill: tuple[int, int, int] = (0, 0, 0)

    @property
    def geometry(self) -> tuple[object, ...]:
        """The settings that decide the pixels. Networks for which these are equal get the same pixels,
        which are computed once."""
        return self.resize, self.crop, self.interpolation, self.fit, self.fill

    def describe(self) -> str:
        """All settings in one line of words, which is part of every space's fingerprint."""
        normalised = "not normalised"
        if self.std != (1.0, 1.0, 1.0) or self.mean != (0.0, 0.0, 0.0):
            normalised = f"mean {self.mean}, std {self.std}"
        sides = {"crop": "short side", "square": "both sides", "pad": "long side"}[self.fit]
        filled = f", filled up with {self.fill}" if self.fit == "pad" else ""
        resized = f"{sides} {self.resize} {self.interpolation}"
        return f"{resized}, centre {self.crop}{filled}, {normalised}"

    def pixels(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """The preprocessed pixels of an RGB image, uint8 [crop, crop, 3].

        Sizes are rounded as torchvision rounds them on PIL images (`resize` and `center_crop` of
        `torchvision.transforms.functional`), for "pad" as timm does (`ResizeKeepRatio` and
        `CenterCropOrPad`)."""
        size = self._resized(*image.size)
        shown = None
        if size[0] * size[1] > LARGEST_RESIZED:
            across, down = image.width / size[0], image.height / size[1]
            size, (left, top, right, bottom) = self._middle(size)
            shown = left * across, top * down, right * across, bottom * down
        resized = image.resize(size, Image.Resampling[self.interpolation.upper()], shown)
        width, height = (max(side, self.crop) for side in size)
        if (width, height) != size:
            canvas = Image.new("RGB", (width, height), self.fill)
            canvas.paste(resized, ((width - size[0]) // 2, (height - size[1]) // 2))
            resized = canvas
        left, top = round((width - self.crop) / 2), round((height - self.crop) / 2)
        cropped = resized.crop((left, top, left + self.crop, top + self.crop))
        return np.asarray(cropped, dtype=np.uint8)

    def _middle(self, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        """The size, and the place in the picture resized to `size`, of the part that `pixels` shows along
        the longer axis. Resizing a line of 6,000 × 1 pixels as a whole took 1.8 GB."""
        width, height = size
        if width > height:
            left = round((width - self.crop) / 2)
            return (self.crop, height), (left, 0, left + self.crop, height)
        top = round((height - self.crop) / 2)
        return (width, self.crop), (0, top, width, top + self.crop)

    def window(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The part of a picture of that size that `pixels` shows: left, top, right and bottom as shares of
        its sides. Filled-up parts lie below 0 and above 1."""
        size = self._resized(width, height)
        bounds = []
        for resized in size:
            canvas = max(resized, self.crop)
            start = round((canvas - self.crop) / 2) - (canvas - resized) // 2
            bounds.append((start / resized, (start + self.crop) / resized))
        (left, right), (top, bottom) = bounds
        return left, top, right, bottom

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.fit == "square":
            return self.resize, self.resize
        if self.fit == "pad":
            ratio = max(width / self.resize, height / self.resize)
            return max(1, round(width / ratio)), max(1, round(height / ratio))
        if width <= height:
            return self.resize, int(self.resize * height / width)
        return int(self.resize * width / height), self.resize

    def normalise(self, pixels: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
        """uint8 [N, H, W, 3] to `dtype` (None: float32) [N, 3, H, W] in channels-last memory,
        computed in float32."""
        import torch

        images, dtype = pixels.permute(0, 3, 1, 2), dtype or torch.float32
        if pixels.is_cuda:
            # The same in two passes through memory instead of five, which took 3 % of VGG16's time.
            scale = tuple(1 / (255 * std) for std in self.std)
            shift = tuple(mean / std for mean, std in zip(self.mean, self.std, strict=True))
            scaled = images * _per_channel(scale, pixels.device)
            normalised = torch.empty_like(scaled, dtype=dtype)
            return torch.sub(scaled, _per_channel(shift, pixels.device), out=normalised)
        scaled = images.float().div_(255)
        mean = _per_channel(self.mean, pixels.device)
        std = _per_channel(self.std, pixels.device)
        return scaled.sub_(mean).div_(std).to(dtype, memory_format=torch.channels_last)


@functools.cache
def _per_channel(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """The values as a tensor [1, 3, 1, 1] on the device, made once. A GPU would have to wait at every
    batch for a copy of the three numbers."""
    import torch

    with torch.inference_mode(False):  # training uses the tensor too
        return torch.tensor(values, device=device).view(1, 3, 1, 1)


# Short side 224, centre crop, values 0..1: the study's code, which did not normalise.
STUDY_2018 = Preprocessing(224, 224, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
