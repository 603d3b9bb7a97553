"""A PyTorch network converted to ONNX, and run by ONNX Runtime."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from torch.fx.experimental.optimization import fuse

from simsearch.encoders.encoder import Encoder, Running, Weights
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.onnx_model import MOST_BYTES, OnnxModel
from simsearch.encoders.onnx_specification import OnnxEncoder, Port, runtime_errors
from simsearch.encoders.precision import TRIAL_IMAGES, trial_pixels, worst_cosine
from simsearch.errors import WeightsError
from simsearch.images.preprocessing import Preprocessing

MIN_COSINE = 0.99999
INPUT, OUTPUT = "images", "vectors"
# Not the trial's batch size, so that the trial detects a model that takes no other size.
TRACED_IMAGES = 2
# Packages that, beside the network and its weights, decide a model's bytes and its results.
PACKAGES = ("torch", "torchvision", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class ConvertedNetwork:
    """Loads a network from its ONNX model: normalised images [N, 3, side, side] to vectors
    [N, dimension], both float32."""

    name: str
    dimension: int

    @property
    def input(self) -> Port:
        return Port(INPUT, "NCHW", "float32")

    @property
    def output(self) -> str:
        return OUTPUT

    def load(self, weights: Weights, running: Running) -> Encoder:
        """The encoder at work. `weights.content` are the ONNX model's bytes."""
        source = f"{self.name}, converted to ONNX"
        return OnnxEncoder(self, OnnxModel(source, weights.content, weights.digest), running)


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def convert(
    network: NetworkSpecification, weights: Weights, preprocessing: Preprocessing
) -> tuple[bytes, float]:
    """The ONNX model's bytes, and the smallest cosine between its vectors and PyTorch's for seeded trial
    images.

    Raises WeightsError if the network cannot be converted, or if the converted one gives other vectors.
    """
    if weights.size > MOST_BYTES:
        raise WeightsError(f"{network.name} is larger than 2 GiB, which no ONNX file is")
    data = _export(network, weights, preprocessing.crop)
    pixels = trial_pixels(preprocessing.crop)
    running = Running(preprocessing, batch_size=TRIAL_IMAGES)
    expected = network.load(weights, running)(pixels)
    converted = ConvertedNetwork(network.name, network.dimension)
    converted_weights = Weights(weights.source, weights.digest, weights.trained, data, len(data))
    try:
        vectors = converted.load(converted_weights, running)(pixels)
    except runtime_errors() as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{network.name} does not run converted to ONNX ({reason})") from None
    cosine = worst_cosine(expected.astype(np.float64), vectors.astype(np.float64))
    if cosine < MIN_COSINE:
        raise WeightsError(
            f"{network.name} converted to ONNX strays to cosine {cosine:.6f} of PyTorch's vectors, "
            f"allowed {MIN_COSINE}"
        )
    return data, cosine


def _export(network: NetworkSpecification, weights: Weights, side: int) -> bytes:
    module = network.fill(weights).requires_grad_(False).eval()
    if network.traceable:
        module = fuse(module, inplace=True)  # fewer operators to convert
    images = torch.zeros(TRACED_IMAGES, 3, side, side)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch itself uses functions that it deprecated
            program = torch.onnx.export(
                module,
                (images,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                optimize=False,  # ONNX Runtime optimises too; DenseNet201 takes 46 s with this, 22 without
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{network.name} cannot be converted to ONNX ({reason})") from None
    assert program is not None
    return bytes(program.model_proto.SerializeToString())
