"""Networks on a CUDA GPU: the same vectors as on a CPU, for any thread and any batch."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from simsearch.encoders.cuda import SLOTS, CudaForward
from simsearch.encoders.encoder import Encoder, Running, Weights
from simsearch.encoders.precision import MIN_COSINE, choose_precision
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.stages import BATCH_GPU
from simsearch.features.vectors import unit_rows
from simsearch.settings.sections.operation import StorageConfig

STUDY = ["vgg16", "resnet152", "densenet201"]
BATCH = 8


@functools.cache
def weights_of(name: str) -> Weights:
    return get_encoder(name, StorageConfig()).weights(["random:0"], StorageConfig())


def network(
    name: str,
    precision: str = "float16",
    device: str = "cuda",
    mode: str = "eval",
    batch_size: int = BATCH,
) -> Encoder:
    encoder = get_encoder(name, StorageConfig())
    return encoder.load(
        weights_of(name), Running(encoder.preprocessing, precision, mode, device, batch_size)
    )


def pixels(count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Blurred noise: adjacent pixels are similar, as in pictures."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def worst_cosine(vectors: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    products = unit_rows(vectors).astype(np.float64) * unit_rows(other).astype(np.float64)
    return float(products.sum(axis=1).min())


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v2", "resnet152"])
def test_float32_vectors_are_those_of_a_cpu(name: str) -> None:
    """The difference is far smaller than with TF32, PyTorch's default for convolutions."""
    images = pixels(BATCH)
    on_gpu, on_cpu = network(name, "float32")(images), network(name, "float32", "cpu")(images)
    scale = float(np.abs(on_cpu).max())
    np.testing.assert_allclose(on_gpu / scale, on_cpu / scale, atol=2e-5)


@pytest.mark.parametrize("name", STUDY)
def test_the_precision_picked_is_half_and_stays_within_the_bound(name: str) -> None:
    encoder = get_encoder(name, StorageConfig())
    precision, reason = choose_precision(
        encoder, weights_of(name), encoder.preprocessing, device="cuda"
    )
    assert precision in ("float16", "bfloat16"), reason
    exact = network(name, "float32", "cpu")(pixels(BATCH))
    assert worst_cosine(network(name, precision)(pixels(BATCH)), exact) >= MIN_COSINE


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("squeezenet1_1", "float32"),
        ("mobilenet_v2", "float16"),
        ("vgg16", "float16"),
        ("resnet152", "bfloat16"),
        ("densenet201", "float16"),
    ],
)
def test_a_vector_does_not_depend_on_the_images_beside_it(name: str, precision: str) -> None:
    """Batches are as large as in a run: in small ones cuDNN adds up an image's sums by its place."""
    many = pixels(BATCH_GPU + 44)
    net = network(name, precision, batch_size=BATCH_GPU)
    together = net(many)
    np.testing.assert_array_equal(together[40:41], net(many[40:41]))
    np.testing.assert_array_equal(together, net(many[::-1])[::-1])


def test_threads_that_call_at_once_get_their_own_vectors() -> None:
    net = network("squeezenet1_1")
    loads = [pixels(1 + 7 * seed % 30, seed) for seed in range(40)]
    expected = [net(load) for load in loads]
    with ThreadPoolExecutor(3 * SLOTS) as threads:
        answers = list(threads.map(net, loads))
    for vectors, expected_vectors in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(vectors, expected_vectors)


def test_two_networks_of_a_process_share_the_gpu() -> None:
    nets = [network("squeezenet1_1"), network("densenet121")]
    images = pixels(2 * BATCH)
    expected = [net(images) for net in nets]
    with ThreadPoolExecutor(6) as threads:
        asked = [(turn % 2, threads.submit(nets[turn % 2], images)) for turn in range(20)]
        for which, answer in asked:
            np.testing.assert_array_equal(answer.result(), expected[which])


def test_a_recorded_pass_gives_what_a_plain_one_does() -> None:
    images = pixels(BATCH)
    module = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = module.cuda().eval()

    def forward(batch: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = module(batch.permute(0, 3, 1, 2).float())
        return vectors

    plain, recorded = (
        CudaForward(
            forward, (224, 224, 3), batch_size=BATCH, device=torch.device("cuda"), graph=graph
        )(images)
        for graph in (False, True)
    )
    np.testing.assert_array_equal(plain, recorded)
    with torch.inference_mode():
        expected = forward(torch.from_numpy(images).cuda()).cpu().numpy()
    np.testing.assert_allclose(recorded, expected, rtol=1e-4)


def test_a_call_that_fails_keeps_no_slot() -> None:
    net = network("squeezenet1_1")
    images = pixels(2 * BATCH)
    expected = net(images)
    for _ in range(2 * SLOTS):
        with pytest.raises(ValueError, match="broadcast"):
            net(images[:, :100])
    answers: list[npt.NDArray[np.float32]] = []
    thread = threading.Thread(target=lambda: answers.append(net(images)), daemon=True)
    thread.start()
    thread.join(20)
    assert answers, "it waits for a slot that nobody gives back"
    np.testing.assert_array_equal(answers[0], expected)


def test_the_studys_mode_gives_a_batch_the_same_vectors_each_time() -> None:
    images = pixels(BATCH)
    live = network("vgg16", "float32", mode="study-2018")
    first = live(images)
    np.testing.assert_array_equal(first, live(images))
    assert not np.allclose(first, network("vgg16", "float32")(images))


def test_automatic_precision_refuses_float16_where_it_overflows() -> None:
    """Values beyond 65,504 are infinite in float16; bfloat16 reaches as far as float32."""
    encoder, weights = get_encoder("vgg16", StorageConfig()), weights_of("vgg16")
    loud = {key: 30 * value if "weight" in key else value for key, value in weights.content.items()}
    chosen, reason = choose_precision(
        encoder, replace(weights, content=loud), encoder.preprocessing, device="cuda"
    )
    assert chosen == "bfloat16", reason
    assert reason.startswith("float16 strays")
