"""Which preprocessing belongs to which network."""

from __future__ import annotations

from simsearch.encoders.backbones.efficientnet_lite import _LITE_MEAN, _LITE_SIZES, _LITE_STD
from simsearch.encoders.backbones.torchvision import torchvision_weights
from simsearch.encoders.encoder import Backbone
from simsearch.images.preprocessing import STUDY_2018, Preprocessing


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
