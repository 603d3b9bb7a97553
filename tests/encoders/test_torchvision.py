"""torchvision's networks against those that its own builder functions make for their published weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision.models import WeightsEnum

from simsearch.encoders.backbones import torchvision as backbones
from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.registry import get_encoder
from simsearch.encoders.weights import Undrawn
from simsearch.errors import WeightsError
from tests.support.networks import CONFIG, network, weights_of

NAMES = backbones.FAMILY.names()
SCREENSHOT = Path(__file__).parents[2] / "docs" / "pages" / "pictures" / "report.webp"
# Upright, lying, narrow and smaller than what networks are shown.
SIZES = [(301, 217), (217, 500), (640, 180), (97, 61)]


@contextmanager
def given(state: Mapping[str, Any] | None) -> Iterator[list[dict[str, Any]]]:
    """torchvision's builder functions with `state` in place of what they download; None: nothing is
    loaded. Yields the tensors of each network at the moment when the file would be loaded."""
    built: list[dict[str, Any]] = []

    def load(module: nn.Module, loaded: Mapping[str, Any], *_: Any, **__: Any) -> None:
        built.append(dict(module.state_dict()))
        if state is not None:
            for key, tensor in module.state_dict().items():
                tensor.copy_(loaded[key])

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: state or {})
        patch.setattr(nn.Module, "load_state_dict", load)
        yield built


def without_numbers(name: str) -> Any:
    # RegNets compute their widths with tensors, which have no values on "meta".
    return nullcontext() if name.startswith("regnet") else torch.device("meta")


def settings_of(module: nn.Module) -> dict[str, dict[str, Any]]:
    """The arguments that each submodule was made with, as far as plain attributes keep them."""
    kinds = (bool, int, float, str, tuple, type(None))
    return {
        path: {
            key: value
            for key, value in vars(part).items()
            if isinstance(value, kinds) and not key.startswith("_")
        }
        for path, part in module.named_modules()
    }


def shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_network_is_built_as_torchvision_builds_it_for_its_weights(name: str) -> None:
    with given(None) as loading, Undrawn(), without_numbers(name):
        theirs = torchvision.models.get_model(name, weights=backbones.published_weights(name))
    with Undrawn(), without_numbers(name):
        ours = get_encoder(name, CONFIG).sources.build()  # type: ignore[attr-defined]
    assert shapes(ours.state_dict()) == shapes(loading[0])
    wanted, made = settings_of(theirs), settings_of(ours)
    if name == "googlenet":  # side classifiers, which the file holds and torchvision drops after it
        assert made[""].pop("aux_logits")
        assert not wanted[""].pop("aux_logits")
        wanted[""] = {key: value for key, value in wanted[""].items() if key in made[""]}
        made = {path: made[path] for path in made if not path.startswith("aux")}
    assert made == wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_networks_that_normalise_again_give_torchvisions_vectors(name: str) -> None:
    """The files were trained with values from -1 to 1. Without `transform_input` they deviate half as much."""
    weights = weights_of(name)
    encoder = get_encoder(name, CONFIG)
    images = np.random.default_rng(3).integers(
        0, 256, (2, encoder.preprocessing.crop, encoder.preprocessing.crop, 3), dtype=np.uint8
    )
    with given(weights.content):
        theirs = torchvision.models.get_model(name, weights=backbones.published_weights(name))
    entering: list[torch.Tensor] = []
    theirs.eval().fc.register_forward_hook(lambda _m, inputs, _o: entering.append(inputs[0]))
    shown: list[torch.Tensor] = []
    first = next(part for part in theirs.modules() if isinstance(part, nn.Conv2d))
    first.register_forward_hook(lambda _m, inputs, _o: shown.append(inputs[0]))
    with torch.inference_mode():
        transforms = backbones.published_weights(name).transforms()
        theirs(torch.stack([transforms(Image.fromarray(image)) for image in images]))
    square = images.astype(np.float64) / 255
    if transforms.resize_size == transforms.crop_size:
        np.testing.assert_allclose(shown[0].std(), (2 * square - 1).std(), rtol=1e-4)
    else:
        images = np.stack(
            [encoder.preprocessing.pixels(Image.fromarray(image)) for image in images]
        )
    vectors = network(name, weights)(images)
    expected = entering[0].numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(vectors / scale, expected / scale, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_side_classifiers_have_no_part_in_the_studys_mode(name: str) -> None:
    side = 299 if name == "inception_v3" else 224
    images = np.random.default_rng(3).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    vectors = network(name, mode="study-2018")(images)
    assert vectors.shape == (2, get_encoder(name, CONFIG).dimension)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    with Image.open(SCREENSHOT) as screenshot:
        whole = screenshot.convert("RGB")
    return [whole.crop((40, 40, 40 + width, 40 + height)) for width, height in SIZES]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_the_weights_own_transforms(
    name: str, pictures: list[Image.Image]
) -> None:
    shown = preprocessing_for(get_encoder(name, CONFIG), "weights")
    transforms = backbones.published_weights(name).transforms()
    for picture in pictures:
        ours = shown.normalise(torch.from_numpy(shown.pixels(picture)[None].copy()))[0]
        torch.testing.assert_close(ours, transforms(picture), atol=1e-6, rtol=0)


@pytest.mark.slow
def test_a_file_of_weights_for_other_preprocessing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet50.pth")
    digest = hashlib.sha256((tmp_path / "resnet50.pth").read_bytes()).hexdigest()
    encoder = get_encoder("resnet50", CONFIG)
    others = encoder.sources.others  # type: ignore[attr-defined]
    # As if it were resnet50-11ad3fa6.pth, IMAGENET1K_V2.
    monkeypatch.setitem(others, digest[:8], others["11ad3fa6"])
    refusal = r"holds IMAGENET1K_V2 and not .*; put resnet50-0676ba61\.pth there"
    with pytest.raises(WeightsError, match=refusal):
        encoder.weights([str(tmp_path)], CONFIG)
    (tmp_path / "resnet50.pth").rename(tmp_path / f"resnet50-{digest[:8]}.pth")
    with pytest.raises(WeightsError, match=refusal):
        encoder.weights([str(tmp_path)], CONFIG)


@pytest.mark.slow
def test_every_other_published_file_is_known_by_its_digest() -> None:
    for name in NAMES:
        enum = torchvision.models.get_model_weights(name)
        others = get_encoder(name, CONFIG).sources.others  # type: ignore[attr-defined]
        files = {weights.url.rpartition("-")[2].removesuffix(".pth") for weights in enum}
        own = backbones.published_weights(name).url.rpartition("-")[2].removesuffix(".pth")
        assert set(others) == files - {own}
        assert own not in others
