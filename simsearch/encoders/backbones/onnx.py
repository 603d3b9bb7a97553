"""ONNX models named by their URI, each with a side-car `<file>.json` that describes input and output.

{"input": {"name": "pixels", "layout": "NCHW", "type": "float32"},
 "preprocessing": {"fit": "crop", "resize": 256, "size": 224, "interpolation": "bilinear",
                   "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
 "output": {"name": "vector", "dimension": 512},
 "licence": "MIT"}
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from simsearch.encoders.encoder import Specification
from simsearch.encoders.onnx_model import OnnxModel, read_model
from simsearch.encoders.onnx_specification import Layout, Number, OnnxSpecification, Port
from simsearch.errors import NotFoundError, StorageError, UsageError
from simsearch.images.preprocessing import Fit, Preprocessing
from simsearch.settings.extras import check_installed
from simsearch.settings.sections.operation import StorageConfig
from simsearch.settings.sections.section import Positive, Section
from simsearch.storage.storage import Storage

Colour = Annotated[int, Field(ge=0, le=255)]


class Input(Section):
    """The model's image input as a side-car describes it."""

    name: str
    layout: Layout
    type: Number


class SideCarPreprocessing(Section):
    """`simsearch.images.preprocessing.Preprocessing` as a side-car writes it: a square of `size`."""

    fit: Fit
    size: Positive
    resize: Positive | None = None
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fill: tuple[Colour, Colour, Colour] = (0, 0, 0)

    @property
    def preprocessing(self) -> Preprocessing:
        resize = self.resize or self.size
        return Preprocessing(
            resize, self.size, self.interpolation, self.mean, self.std, self.fit, self.fill
        )


class Output(Section):
    """The model's output with the vectors [N, `dimension`]."""

    name: str
    dimension: Positive


class SideCar(Section):
    """The content of the file `<model>.json` beside an ONNX model."""

    input: Input
    preprocessing: SideCarPreprocessing
    output: Output
    licence: str
    trained: bool = True

    @model_validator(mode="after")
    def _raw_pixels_are_not_normalised(self) -> Self:
        if self.input.type == "uint8" and {"mean", "std"} & self.preprocessing.model_fields_set:
            raise ValueError("preprocessing: a uint8 input gets raw pixels; leave out mean and std")
        return self


@dataclass(frozen=True)
class Onnx:
    """The family of ONNX models that are named by their URI."""

    name: str = "onnx"

    def names(self) -> Sequence[str]:
        return ()

    def specification(self, name: str, config: StorageConfig) -> Specification:
        check_installed("onnx", name)
        folder, file = _place(name)
        card = _side_car(name, Storage(folder, config), f"{file}.json")
        return OnnxSpecification(
            name=name,
            dimension=card.output.dimension,
            licence=card.licence,
            preprocessing=card.preprocessing.preprocessing,
            input=Port(card.input.name, card.input.layout, card.input.type),
            output=card.output.name,
            read=functools.partial(_read, folder, file),
            present=functools.partial(_present, folder, file),
            trained=card.trained,
        )


FAMILY = Onnx()


def _place(name: str) -> tuple[str, str]:
    """The folder and the file of `onnx:<uri>`."""
    uri = name.removeprefix(f"{FAMILY.name}:")
    folder, slash, file = uri.rpartition("/")
    if not file.endswith(".onnx"):
        raise UsageError(f"{name}: not the URI of an .onnx file; write onnx:<folder>/<name>.onnx")
    return (folder or "/") if slash else ".", file


def _read(folder: str, file: str, config: StorageConfig) -> OnnxModel:
    return read_model(Storage(folder, config), file)


def _present(folder: str, file: str, config: StorageConfig) -> str | None:
    storage = Storage(folder, config)
    return storage.uri(file) if storage.exists(file) else None


def _side_car(name: str, storage: Storage, file: str) -> SideCar:
    try:
        data = storage.read_bytes(file)
    except NotFoundError:
        raise UsageError(
            f"{name}: no {file} beside it; write this side-car, which says the model's input, "
            "preprocessing, output and licence"
        ) from None
    except StorageError as error:
        raise UsageError(f"{name}: {error}") from None
    try:
        return SideCar.model_validate_json(data)
    except ValidationError as error:
        faults = "; ".join(
            ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
            for fault in error.errors()
        )
        raise UsageError(f"{storage.uri(file)}: {faults}; mend the side-car") from None
