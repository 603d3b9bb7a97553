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
