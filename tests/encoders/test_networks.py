"""Networks: vectors against torchvision's own forward pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn

from simsearch.catalog.readers.generated import image_bytes
from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.registry import get_encoder
from simsearch.errors import UnknownNameError
from simsearch.features.vectors import unit_rows
from simsearch.images.decode import decode
from tests.support.networks import CONFIG, network, pixels, weights_of


def whole_network(name: str) -> nn.Module:
    """torchvision's own network with the weights of `random:0`, untouched by this project."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: nn.Module = torchvision.models.get_model(name, weights=None)
    return made.eval()


def entering(module: str) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    """A submodule's inputs during the network's own forward pass."""

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


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_vectors_are_torchvisions_own_activations(name: str) -> None:
    dimension, reference = REFERENCES[name]
    images = torch.from_numpy(pixels()).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = reference(whole_network(name), (images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    vectors = network(name)(pixels())
    assert vectors.shape == (2, dimension)
    assert vectors.dtype == np.float32
    scale = float(np.abs(expected.numpy()).max())
    np.testing.assert_allclose(vectors / scale, expected.numpy() / scale, atol=1e-5)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    tensor = preprocessing.normalise(torch.from_numpy(preprocessing.pixels(image)[None].copy()))
    torch.testing.assert_close(tensor[0], expected, atol=1e-6, rtol=0)


def test_the_studys_preprocessing_does_not_normalise() -> None:
    preprocessing = preprocessing_for(get_encoder("vgg16", CONFIG), "study-2018")
    image = Image.new("RGB", (300, 260), (255, 0, 51))
    tensor = preprocessing.normalise(torch.from_numpy(preprocessing.pixels(image)[None].copy()))
    assert tensor.shape == (1, 3, 224, 224)
    torch.testing.assert_close(tensor[0, :, 5, 5], torch.tensor([1.0, 0.0, 0.2]))


@pytest.mark.slow
def test_dropout_and_batch_statistics_live_only_in_the_studys_mode() -> None:
    both = pixels(4)
    for mode, depends in (("eval", False), ("study-2018", True)):
        net = network("mobilenet_v2", mode=mode, batch_size=4)
        first = net(both)
        np.testing.assert_array_equal(net(both), first)  # seeded, and nothing drifts
        others = net(np.concatenate([both[:1], pixels(3, seed=9)]))
        assert bool(np.any(others[0] != first[0])) is depends


@pytest.mark.slow
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
        net(np.stack([preprocessing.pixels(image) for image in batch]))
        for batch in (originals_of, copies_of)
    )
    assert (unit_rows(copies) @ unit_rows(originals).T).argmax(axis=1).tolist() == list(range(16))
