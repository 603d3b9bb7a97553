"""Small ONNX models, made by hand: a convolution, a mean over positions, a linear layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, DIMENSION = 32, 5
TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}
CARD: dict[str, Any] = {
    "input": {"name": "pixels", "layout": "NCHW", "type": "float32"},
    "preprocessing": {
        "fit": "crop",
        "resize": 40,
        "size": SIDE,
        "interpolation": "bilinear",
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.25, 0.3],
    },
    "output": {"name": "vector", "dimension": DIMENSION},
    "licence": "CC0-1.0",
}
RAW: dict[str, Any] = {
    **CARD,
    "input": {"name": "pixels", "layout": "NHWC", "type": "uint8"},
    "preprocessing": {"fit": "square", "size": SIDE, "interpolation": "bilinear"},
}


def model(*, number: str = "float32", layout: str = "NCHW", batch: int | str = "N") -> Any:
    """A model with random weights that fits CARD, or RAW where asked so."""
    random = np.random.default_rng(3)
    kernel = random.normal(size=(7, 3, 3, 3)).astype(np.float32)
    weight = random.normal(size=(7, DIMENSION)).astype(np.float32)
    nodes = [helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT)]
    images = "floats"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", ["floats"], ["images"], perm=[0, 3, 1, 2]))
        images = "images"
    nodes += [
        helper.make_node("Conv", [images, "kernel"], ["maps"]),
        helper.make_node("Relu", ["maps"], ["kept"]),
        helper.make_node("GlobalAveragePool", ["kept"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["vector"]),
    ]
    sides = [3, SIDE, SIDE] if layout == "NCHW" else [SIDE, SIDE, 3]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TYPES[number], [batch, *sides])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [batch, DIMENSION])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(weight, "weight")],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests"
    )


def write(folder: Path, made: Any, card: object = CARD, name: str = "small") -> str:
    """A model and its side-car in a folder; returns the encoder's name."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(made, folder / f"{name}.onnx")
    (folder / f"{name}.onnx.json").write_text(json.dumps(card))
    return f"onnx:{folder}/{name}.onnx"


def deep_model(side: int = 224, channels: int = 96, layers: int = 16) -> tuple[Any, Any]:
    """A model with a real network's work to do, about 3 GFLOP an image, and its side-car."""
    random = np.random.default_rng(4)
    nodes, weights, given = [], [], "pixels"
    for layer in range(layers):
        inputs = 3 if layer == 0 else channels
        kernel = random.normal(scale=(2 / 9 / inputs) ** 0.5, size=(channels, inputs, 3, 3))
        weights.append(numpy_helper.from_array(kernel.astype(np.float32), f"kernel{layer}"))
        stride = 2 if layer in (0, 1, 8) else 1
        nodes += [
            helper.make_node(
                "Conv",
                [given, f"kernel{layer}"],
                [f"maps{layer}"],
                pads=[1] * 4,
                strides=[stride] * 2,
            ),
            helper.make_node("Relu", [f"maps{layer}"], [f"kept{layer}"]),
        ]
        given = f"kept{layer}"
    nodes += [
        helper.make_node("GlobalAveragePool", [given], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "deep",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, side, side])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["N", channels])],
        weights,
    )
    model_proto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    shown = {**CARD["preprocessing"], "resize": 256, "size": side}
    output = {"name": "vector", "dimension": channels}
    return model_proto, {**CARD, "preprocessing": shown, "output": output}
