"""Encoders: vectors against torchvision's own forward pass, weights against tampering."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from PIL import Image
from torch import nn

from simsearch.catalog.readers.generated import image_bytes
from simsearch.config import StorageConfig
from simsearch.encoders.backbones import efficientnet_lite
from simsearch.encoders.encoder import Encoder, Running, Weights, preprocessing_for
from simsearch.encoders.precision import choose_precision, fast_precision, trial_pixels
from simsearch.encoders.registry import get_encoder
from simsearch.errors import UnknownNameError, UsageError, WeightsError
from simsearch.images.decode import decode
from simsearch.indexes.exact import unit_rows

CONFIG = StorageConfig()


def weights_of(name: str, *sources: str) -> Weights:
    return get_encoder(name, CONFIG).weights(sources or ("random:0",), CONFIG)


def network(
    name: str,
    weights: Weights | None = None,
    *,
    precision: str = "float32",
    mode: str = "eval",
    batch_size: int = 2,
    preprocessing: str = "weights",
) -> Encoder:
    encoder = get_encoder(name, CONFIG)
    shown = preprocessing_for(encoder, preprocessing)
    return encoder.load(
        weights or weights_of(name), Running(shown, precision, mode, batch_size=batch_size)
    )


def pixels(count: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


def whole_network(name: str) -> nn.Module:
    """torchvision's own network with the weights of `random:0`, untouched by this project."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: nn.Module = torchvision.models.get_model(name, weights=None)
    return made.eval()


def entering(module: str) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    """What goes into a submodule during the network's own forward pass."""

    def watch(whole: nn.Module, images: torch.Tensor) -> torch.Tensor:
        seen: list[torch.Tensor] = []
        handle = whole.get_submodule(module).register_forward_hook(
            lambda _module, inputs, _output: seen.append(inputs[0])
        )
        whole(images)
        handle.remove()
        return seen[0]

    return watch


def leaving(module: str) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    def watch(whole: nn.Module, images: torch.Tensor) -> torch.Tensor:
        seen: list[torch.Tensor] = []
        handle = whole.get_submodule(module).register_forward_hook(
            lambda _module, _inputs, output: seen.append(output.clone())
        )
        whole(images)
        handle.remove()
        return seen[0]

    return watch


REFERENCES = {
    "vgg16": (4096, leaving("classifier.3")),
    "resnet152": (2048, entering("fc")),
    "densenet201": (1920, entering("classifier")),
    "squeezenet1_1": (
        512,
        lambda whole, images: leaving("features")(whole, images).mean(dim=(2, 3)),
    ),
    "mobilenet_v2": (1280, entering("classifier.1")),
    "efficientnet_b0": (1280, entering("classifier.1")),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_vectors_are_torchvisions_own_activations(name: str) -> None:
    dimension, reference = REFERENCES[name]
    images = torch.from_numpy(pixels()).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = reference(whole_network(name), (images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    found = network(name)(pixels())
    assert found.shape == (2, dimension)
    assert found.dtype == np.float32
    scale = float(np.abs(expected.numpy()).max())
    np.testing.assert_allclose(found / scale, expected.numpy() / scale, atol=1e-5)


def test_a_registered_dimension_is_what_comes_out() -> None:
    for name in (
        "alexnet",
        "mnasnet0_5",
        "shufflenet_v2_x0_5",
        "regnet_y_400mf",
        "efficientnet_lite0",
    ):
        assert network(name)(pixels(1)).shape == (1, get_encoder(name, CONFIG).dimension)


def test_an_unknown_encoder_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no encoder named 'vgg17'; known: .*vgg16"):
        get_encoder("vgg17", CONFIG)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_vector_does_not_depend_on_the_images_beside_it(precision: str) -> None:
    many = pixels(7)
    net = network("squeezenet1_1", precision=precision, batch_size=4)
    together = net(many)
    alone = np.concatenate([net(many[i : i + 1]) for i in range(7)])
    backwards = net(many[::-1])[::-1]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)


SIZES = [(224, 224), (300, 200), (200, 500), (100, 60), (1, 50), (257, 256), (1000, 333)]


@pytest.mark.parametrize(
    "name", ["vgg16", "resnet152", "mobilenet_v2", "efficientnet_b1", "inception_v3"]
)
@pytest.mark.parametrize("size", SIZES)
def test_preprocessing_is_the_weights_own_transforms(name: str, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    enum = torchvision.models.get_model_weights(name)
    expected = enum["IMAGENET1K_V1"].transforms()(image)
    preprocessing = preprocessing_for(get_encoder(name, CONFIG), "weights")
    found = preprocessing.normalise(torch.from_numpy(preprocessing.pixels(image)[None].copy()))
    torch.testing.assert_close(found[0], expected, atol=1e-6, rtol=0)


def test_the_studys_preprocessing_does_not_normalise() -> None:
    preprocessing = preprocessing_for(get_encoder("vgg16", CONFIG), "study-2018")
    image = Image.new("RGB", (300, 260), (255, 0, 51))
    found = preprocessing.normalise(torch.from_numpy(preprocessing.pixels(image)[None].copy()))
    assert found.shape == (1, 3, 224, 224)
    torch.testing.assert_close(found[0, :, 5, 5], torch.tensor([1.0, 0.0, 0.2]))


def test_dropout_and_batch_statistics_live_only_in_the_studys_mode() -> None:
    both = pixels(4)
    for mode, depends in (("eval", False), ("study-2018", True)):
        net = network("mobilenet_v2", mode=mode, batch_size=4)
        first = net(both)
        np.testing.assert_array_equal(net(both), first)  # seeded, and nothing drifts
        others = net(np.concatenate([both[:1], pixels(3, seed=9)]))
        assert bool(np.any(others[0] != first[0])) is depends


def test_the_pretrained_network_knows_a_copy_from_another_picture() -> None:
    originals_of = [
        decode(image_bytes(71, n), max_pixels=10**6, max_bytes=10**6, background="#ffffff")
        for n in range(16)
    ]
    copies_of = [
        image.resize((image.width * 4 // 5, image.height * 4 // 5)) for image in originals_of
    ]
    weights = weights_of("efficientnet_lite0", "imagenet")
    assert weights.trained
    preprocessing = preprocessing_for(get_encoder("efficientnet_lite0", CONFIG), "weights")
    net = network("efficientnet_lite0", weights, batch_size=8)
    originals, copies = (
        net(np.stack([preprocessing.pixels(image) for image in some]))
        for some in (originals_of, copies_of)
    )
    assert (unit_rows(copies) @ unit_rows(originals).T).argmax(axis=1).tolist() == list(range(16))


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_lite_networks_bring_their_real_weights(name: str) -> None:
    weights = weights_of(name, "imagenet")
    assert weights.trained
    size = preprocessing_for(get_encoder(name, CONFIG), "weights").crop
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    assert network(name, weights)(images).shape == (2, 1280)


def test_a_packaged_file_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(efficientnet_lite.PACKAGED_SHA256, "efficientnet_lite0", "0" * 64)
    with pytest.raises(WeightsError, match="install the package again"):
        weights_of("efficientnet_lite0", "imagenet")


@pytest.mark.parametrize("name", ["squeezenet1_0", "mobilenet_v2"])
def test_real_weights_load_the_same_from_either_format(
    real_weights: Path, tmp_path: Path, name: str
) -> None:
    folders = []
    for suffix in ("pth", "safetensors"):
        folder = tmp_path / suffix
        folder.mkdir()
        (folder / f"{name}.{suffix}").write_bytes((real_weights / f"{name}.{suffix}").read_bytes())
        folders.append(weights_of(name, str(folder)))
    assert folders[0].digest == folders[1].digest
    assert all(weights.trained for weights in folders)
    assert folders[0].digest != weights_of(name).digest
    np.testing.assert_array_equal(
        network(name, folders[0])(pixels()), network(name, folders[1])(pixels())
    )


def test_random_weights_follow_from_their_seed_and_say_so() -> None:
    one, again, other = (weights_of("squeezenet1_1", f"random:{seed}") for seed in (0, 0, 1))
    assert one.digest == again.digest != other.digest
    assert not one.trained
    assert one.source == "random:0"
    with pytest.raises(UsageError, match="has no seed"):
        weights_of("squeezenet1_1", "random:")


def test_the_first_source_that_has_the_weights_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = weights_of("squeezenet1_1", str(tmp_path), "random:3")
    assert found.source == "random:3"
    assert "no weights from" in caplog.text
    with pytest.raises(WeightsError, match=r"squeezenet1_1: no weights .*random:0"):
        weights_of("squeezenet1_1", str(tmp_path))


def saved_state(name: str, folder: Path) -> Path:
    path = folder / f"{name}.pth"
    torch.save(weights_of(name).content, path)
    return path


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    saved_state("squeezenet1_1", tmp_path).rename(tmp_path / "alexnet.pth")
    with pytest.raises(WeightsError, match=r"alexnet\.pth: not weights of alexnet \(no features"):
        weights_of("alexnet", str(tmp_path))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    state = dict(weights_of("squeezenet1_1").content)
    state["classifier.1.bias"] = torch.zeros(7)
    safetensors.torch.save_file(state, tmp_path / "squeezenet1_1.safetensors")
    with pytest.raises(
        WeightsError, match=r"classifier\.1\.bias is \(7,\), the network's is \(1000,\)"
    ):
        weights_of("squeezenet1_1", str(tmp_path))


def test_a_digest_that_does_not_match_is_refused(tmp_path: Path) -> None:
    path = saved_state("squeezenet1_1", tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "squeezenet1_1.pth.sha256").write_text(f"{digest}  squeezenet1_1.pth\n")
    assert weights_of("squeezenet1_1", str(tmp_path)).trained
    (tmp_path / "squeezenet1_1.pth.sha256").write_text("0" * 64)
    with pytest.raises(WeightsError, match="its SHA-256 is not the one"):
        weights_of("squeezenet1_1", str(tmp_path))
    (tmp_path / "squeezenet1_1.pth.sha256").unlink()
    path.rename(tmp_path / "squeezenet1_1-00000000.pth")
    with pytest.raises(WeightsError, match="does not begin with 00000000"):
        weights_of("squeezenet1_1", str(tmp_path))


class Hostile:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return print, ("code ran",)


@pytest.mark.parametrize(
    "data", [pickle.dumps(Hostile()), b"", b"not weights", b"PK\x03\x04 broken zip"]
)
def test_a_file_that_is_no_plain_weights_is_refused_and_never_run(
    tmp_path: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alexnet.pth").write_bytes(data)
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        weights_of("alexnet", str(tmp_path))
    hostile = io.BytesIO()
    torch.save({"features.0.weight": Hostile()}, hostile)
    (tmp_path / "alexnet.pth").write_bytes(hostile.getvalue())
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        weights_of("alexnet", str(tmp_path))
    assert "code ran" not in capsys.readouterr().out


def test_the_old_densenet_file_still_loads(tmp_path: Path) -> None:
    state = weights_of("densenet121").content
    old = {
        key.replace("norm1", "norm.1").replace("conv2", "conv.2")
        if "denselayer" in key
        else key: value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked")  # the published file is older than it
    }
    torch.save(old, tmp_path / "densenet121.pth")
    assert weights_of("densenet121", str(tmp_path)).digest == weights_of("densenet121").digest


def test_automatic_precision_refuses_a_network_that_rounding_hurts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """EfficientNet-Lite1 on real paintings in grey: within cosine 0.93 of float32 only."""
    monkeypatch.setattr("simsearch.encoders.precision.fast_precision", lambda _device: "bfloat16")
    encoder = get_encoder("efficientnet_lite1", CONFIG)
    weights = weights_of("efficientnet_lite1", "imagenet")
    preprocessing = preprocessing_for(encoder, "weights")
    precision, reason = choose_precision(encoder, weights, preprocessing, device="cpu")
    assert precision == "float32"
    assert reason.startswith("bfloat16 strays")


def test_automatic_precision_keeps_vectors_within_the_bound() -> None:
    encoder, weights = get_encoder("squeezenet1_1", CONFIG), weights_of("squeezenet1_1")
    preprocessing = preprocessing_for(encoder, "weights")
    precision, reason = choose_precision(encoder, weights, preprocessing, device="cpu")
    assert reason
    assert precision in ("float32", fast_precision("cpu"))
    images = trial_pixels(preprocessing.crop)
    exact, chosen = (
        network("squeezenet1_1", weights, precision=one)(images) for one in ("float32", precision)
    )
    cosine = (
        (exact * chosen).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(chosen, axis=1)
    )
    assert cosine.min() >= 0.999
