"""timm's networks: `timm:<model>` or `timm:<model>.<tag>`, with preprocessing from their configuration and
weights from a folder or from the hub on which timm publishes them."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from simsearch.encoders.downloads import probe
from simsearch.encoders.encoder import Specification
from simsearch.encoders.network_specification import NetworkSpecification, dimension_of
from simsearch.encoders.weight_files import NotHereError, State
from simsearch.encoders.weights import WeightSources, skeleton
from simsearch.errors import UsageError
from simsearch.images.preprocessing import Fit, Preprocessing
from simsearch.settings.extras import check_installed, is_installed
from simsearch.settings.sections.operation import StorageConfig

FITS: dict[str, Fit] = {"center": "crop", "squash": "square", "border": "pad"}


@dataclass(frozen=True)
class Timm:
    """The family of timm's networks."""

    name: str = "timm"

    def names(self) -> Sequence[str]:
        if not is_installed("timm"):
            return ()
        import timm

        return tuple(f"{self.name}:{model}" for model in timm.list_pretrained())

    def specification(self, name: str, config: StorageConfig) -> Specification:  # noqa: ARG002
        check_installed("timm", name)
        return _specification(name)


FAMILY = Timm()


@functools.cache
def _specification(name: str) -> NetworkSpecification:
    model = name.removeprefix(f"{FAMILY.name}:")
    configuration = _configuration(name, model)
    build = functools.partial(_build, model)
    preprocessing = _preprocessing(name, configuration)
    return NetworkSpecification(
        dimension=dimension_of(_remove_classifier(skeleton(build)), preprocessing.crop),
        layer="pooled features, before the classifier",
        licence=configuration.get("license") or "not stated",
        preprocessing=preprocessing,
        sources=WeightSources(name, build, _Hub(model, configuration.get("hf_hub_id"))),
        features=_remove_classifier,
        traceable=False,
        maps=functools.partial(_maps, preprocessing.crop),
    )


def _configuration(name: str, model: str) -> Mapping[str, Any]:
    import timm

    try:
        known = timm.is_model(model) and timm.models.get_pretrained_cfg(model)
    except RuntimeError:  # a model of that name, no weights of that tag
        known = False
    if not known:
        architecture = model.partition(".")[0]
        published = timm.list_pretrained()
        models = [
            published_name
            for published_name in published
            if published_name.partition(".")[0] == architecture
        ]
        models = models or [*timm.list_models(), *published]
        close = ", ".join(difflib.get_close_matches(model, models, 5, 0.5)) or "none like it"
        raise UsageError(
            f"no encoder named {name!r}; timm has {close}; `simsearch encoders --like 'timm:*'` lists all"
        )
    configuration: Mapping[str, Any] = known.to_dict()
    return configuration


def _preprocessing(name: str, configuration: Mapping[str, Any]) -> Preprocessing:
    from timm.data.config import resolve_data_config

    data_config = resolve_data_config(pretrained_cfg=configuration)
    channels, height, width = data_config["input_size"]
    fit = FITS.get(data_config["crop_mode"])
    if channels != 3 or height != width or fit is None or configuration.get("crop_border_pixels"):
        raise UsageError(
            f"{name}: is shown {data_config['input_size']} pixels ({data_config['crop_mode']}), not RGB squares; "
            "name another model"
        )
    mean = tuple(data_config["mean"])
    return Preprocessing(
        resize=math.floor(height / data_config["crop_pct"]),
        crop=height,
        interpolation=data_config["interpolation"],
        mean=mean,
        std=tuple(data_config["std"]),
        fit=fit,
        fill=tuple(round(255 * value) for value in mean) if fit == "pad" else (0, 0, 0),
    )


def _build(model: str) -> nn.Module:
    import timm

    network: nn.Module = timm.create_model(model, pretrained=False)
    return network


def _remove_classifier(network: nn.Module) -> nn.Module:
    network.reset_classifier(0)  # type: ignore[operator]
    return network


class _Map(nn.Module):
    """A timm network up to its `forward_features`: images [N, 3, H, W] to maps [N, C, h, w]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.channels_last = getattr(network, "output_fmt", "NCHW") == "NHWC"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.network.forward_features(images)  # type: ignore[operator]
        return maps.permute(0, 3, 1, 2) if self.channels_last else maps


def _maps(side: int, network: nn.Module) -> nn.Module | None:
    """The network's part that makes feature maps [N, C, h, w]. None if its features have no rows and
    columns: a transformer has a list of tokens."""
    parameter = next(network.parameters())
    with torch.inference_mode():
        image = torch.zeros(1, 3, side, side, device=parameter.device)
        shape = network.eval().forward_features(image).shape  # type: ignore[operator]
    return _Map(network) if len(shape) == 4 else None


@dataclass(frozen=True)
class _Hub:
    """Weights that timm publishes, in the cache of Hugging Face's hub."""

    model: str
    repository: str | None

    def at_hand(self) -> str | None:
        from huggingface_hub import try_to_load_from_cache

        if self.repository is None:
            return None
        cached = try_to_load_from_cache(self.repository, "model.safetensors")
        return f"timm, {self.repository}" if isinstance(cached, str) else None

    def read(self) -> tuple[str, State]:
        import timm
        from huggingface_hub import hf_hub_url

        if self.repository is None:
            raise NotHereError("timm publishes none")
        if self.at_hand() is None:
            probe(hf_hub_url(self.repository, "model.safetensors"))
        try:
            network = timm.create_model(self.model, pretrained=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise NotHereError(f"download of {self.repository} failed: {error}") from None
        return f"timm, {self.repository}", dict(network.state_dict())
