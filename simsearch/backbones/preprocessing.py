"""Which preprocessing belongs to which network."""

from __future__ import annotations

import torchvision

from simsearch.backbones.registry import Backbone
from simsearch.images.preprocessing import STUDY_2018, Preprocessing

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
