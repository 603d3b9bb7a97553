"""The image towers of CLIP models: `open_clip:<model>/<tag>`, as in open_clip's own lists, with weights
from a folder or from their publisher."""

from __future__ import annotations

import difflib
import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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

FITS: dict[str, Fit] = {"shortest": "crop", "squash": "square", "longest": "pad"}
WHOLE_MODEL = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
TOWER = "visual."  # prefix of the image tower's keys in a file of the whole model


@dataclass(frozen=True)
class OpenClip:
    """The family of open_clip's image towers."""

    name: str = "open_clip"

    def names(self) -> Sequence[str]:
        if not is_installed("open-clip"):
            return ()
        import open_clip

        return tuple(f"{self.name}:{model}/{tag}" for model, tag in open_clip.list_pretrained())

    def specification(self, name: str, config: StorageConfig) -> Specification:  # noqa: ARG002
        check_installed("open-clip", name)
        return _specification(name)


FAMILY = OpenClip()


class ImageTower(nn.Module):
    """Images [N, 3, H, W] to embeddings [N, D], not yet of unit length: open_clip's `encode_image`."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        embeddings = self.visual(images)
        # CoCa's tower gives its tokens too.
        vectors: torch.Tensor = embeddings[0] if isinstance(embeddings, tuple) else embeddings
        return vectors


@functools.cache
def _specification(name: str) -> NetworkSpecification:
    import open_clip

    model, slash, tag = name.removeprefix(f"{FAMILY.name}:").partition("/")
    if not slash or (model, tag) not in open_clip.list_pretrained():
        close = difflib.get_close_matches(name, FAMILY.names(), 5, 0.5)
        raise UsageError(
            f"no encoder named {name!r}; there are {', '.join(close) or 'none like it'}; "
            "`simsearch encoders --like 'open_clip:*'` lists all"
        )
    published = open_clip.get_pretrained_cfg(model, tag)
    quick_gelu = bool(published.get("quick_gelu"))
    build = functools.partial(_build, model, quick_gelu)
    size, dimension = _shape(model, quick_gelu)
    preprocessing = _preprocessing(name, size, published)
    return NetworkSpecification(
        dimension=dimension,
        layer="image tower's embedding",
        licence="not stated",
        preprocessing=preprocessing,
        sources=WeightSources(name, build, _Published(model, tag), _select_tower),
        features=ImageTower,
        traceable=False,
    )


def _build(model: str, quick_gelu: bool) -> nn.Module:
    import open_clip

    logging.disable(logging.WARNING)  # open_clip warns that no weights are loaded; they come next
    try:
        whole = open_clip.create_model(
            model,
            pretrained_text=False,
            force_quick_gelu=quick_gelu,
            device=torch.get_default_device(),  # "meta" for a skeleton
        )
    finally:
        logging.disable(logging.NOTSET)
    tower: nn.Module = whole.visual
    return tower


@functools.cache
def _shape(model: str, quick_gelu: bool) -> tuple[Any, int]:
    """The side or sides of an image tower's images, and the dimension of its embeddings."""
    tower = skeleton(functools.partial(_build, model, quick_gelu))
    size: Any = tower.image_size
    height = size[0] if isinstance(size, tuple) else size
    return size, dimension_of(ImageTower(tower), height)


def _preprocessing(name: str, size: Any, published: Mapping[str, Any]) -> Preprocessing:
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    transform = merge_preprocess_dict(asdict(PreprocessCfg()), dict(published))
    height, width = size if isinstance(size, tuple) else (size, size)
    if height != width:
        raise UsageError(f"{name}: is shown {height} × {width} pixels, not squares; name another")
    return Preprocessing(
        resize=height,
        crop=height,
        interpolation=transform["interpolation"],
        mean=tuple(transform["mean"]),
        std=tuple(transform["std"]),
        fit=FITS[transform["resize_mode"]],
        fill=(transform["fill_color"],) * 3,
    )


def _select_tower(state: State) -> State:
    """The image tower's tensors, from a file of the whole model or of the tower alone."""
    tower = {key.removeprefix(TOWER): state[key] for key in state if key.startswith(TOWER)}
    return tower or dict(state)


@dataclass(frozen=True)
class _Published:
    """Weights as open_clip finds them, in its own cache or in that of Hugging Face's hub."""

    model: str
    tag: str

    @property
    def _place(self) -> tuple[str, tuple[str, ...]]:
        """The hub's repository, and the files that may hold the weights there."""
        import open_clip

        hub = open_clip.get_pretrained_cfg(self.model, self.tag)["hf_hub"]
        repository, _, file = hub.rpartition("/")
        return repository, (file,) if file else WHOLE_MODEL

    def at_hand(self) -> str | None:
        from huggingface_hub import try_to_load_from_cache

        repository, files = self._place
        cached = any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
        return f"open_clip, {repository}" if cached else None

    def read(self) -> tuple[str, State]:
        import open_clip
        from huggingface_hub import constants

        repository, _ = self._place
        if self.at_hand() is None:
            probe(f"{constants.ENDPOINT}/{repository}")
        try:
            whole = open_clip.create_model(self.model, pretrained=self.tag, weights_only=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise NotHereError(f"download of {repository} failed: {error}") from None
        return f"open_clip, {repository}", dict(whole.visual.state_dict())
