"""An ONNX model as an encoder, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from simsearch.encoders.encoder import Running, Weights
from simsearch.encoders.onnx_model import OnnxModel
from simsearch.errors import WeightsError
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.sections.operation import StorageConfig

if TYPE_CHECKING:
    import onnxruntime

Layout = Literal["NHWC", "NCHW"]
Number = Literal["uint8", "float32", "float16"]
TENSORS = {"uint8": "tensor(uint8)", "float32": "tensor(float)", "float16": "tensor(float16)"}
VECTORS = ("tensor(float)", "tensor(float16)")


@dataclass(frozen=True)
class Port:
    """An ONNX model's image input: raw pixels for uint8, else normalised ones."""

    name: str
    layout: Layout
    number: Number


class Described(Protocol):
    """The description of a model that is needed to run it."""

    @property
    def input(self) -> Port: ...

    @property
    def output(self) -> str: ...

    @property
    def dimension(self) -> int: ...


@dataclass(frozen=True)
class OnnxSpecification:
    """A `simsearch.encoders.encoder.Specification` of an ONNX model, which has its own weights.

    `read(config)` reads the model. `present(config)` names its place without reading it, None if it is
    missing. `carried` is False for a model whose terms forbid copies: every process then reads it where it
    is installed.
    """

    name: str
    dimension: int
    licence: str
    preprocessing: Preprocessing
    input: Port
    output: str
    read: Callable[[StorageConfig], OnnxModel]
    present: Callable[[StorageConfig], str | None]
    trained: bool = True
    carried: bool = True
    precision: str | None = field(default="as exported", init=False)
    can_run_as_studied: bool = field(default=False, init=False)

    @property
    def layer(self) -> str:
        return f"output {self.output}"

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:  # noqa: ARG002
        """The model itself. `sources` are for encoders with separate weights."""
        model = self.read(config)
        session = open_session(model, device="cpu", threads=1, optimised=False)
        check_ports(session, self, model.source)
        content = model.data if self.carried else b""
        return Weights(model.source, model.digest, self.trained, content, len(model.data))

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:  # noqa: ARG002
        return self.present(config)

    def load(self, weights: Weights, running: Running) -> OnnxEncoder:
        if self.carried:
            model = OnnxModel(weights.source, weights.content, weights.digest)
        else:
            model = self.read(StorageConfig())
            if model.digest != weights.digest:
                raise WeightsError(
                    f"{model.source}: not the {weights.source} that this run began with; install the "
                    "same package on every node"
                )
        return OnnxEncoder(self, model, running)


class OnnxEncoder:
    """Turns uint8 pixels [N, crop, crop, 3] into float32 vectors [N, dimension].

    Every run has exactly the model's own batch size, or the given one if the model takes any. The last
    batch is filled up, so that a vector does not depend on the number of images.
    """

    def __init__(self, specification: Described, model: OnnxModel, running: Running) -> None:
        if running.threads is not None and specification.input.number != "uint8":
            import torch  # which normalises

            torch.set_num_threads(running.threads)
        self._specification = specification
        self._source = model.source
        self._session = open_session(model, device=running.device, threads=running.threads)
        (port,) = self._session.get_inputs()
        own = port.shape[0]
        self._batch_size = own if isinstance(own, int) else running.batch_size
        self._preprocessing = running.preprocessing

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        batches = [
            self._embed(pixels[start : start + self._batch_size])
            for start in range(0, len(pixels), self._batch_size)
        ]
        return np.concatenate(batches)

    def _embed(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        count = len(pixels)
        if count < self._batch_size:
            filler = np.zeros((self._batch_size - count, *pixels.shape[1:]), dtype=np.uint8)
            pixels = np.concatenate([pixels, filler])
        feed = {self._specification.input.name: self._input(pixels)}
        (vectors,) = self._session.run([self._specification.output], feed)
        wanted = self._batch_size, self._specification.dimension
        if vectors.shape != wanted:
            raise WeightsError(
                f"{self._source}: output {self._specification.output} is of shape {vectors.shape} for "
                f"{self._batch_size} images, its side-car says {wanted}; mend one of the two"
            )
        return np.asarray(vectors[:count], dtype=np.float32)

    def _input(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.generic]:
        port = self._specification.input
        if port.number == "uint8":
            in_layout = pixels if port.layout == "NHWC" else pixels.transpose(0, 3, 1, 2)
            return np.ascontiguousarray(in_layout)
        import torch

        with torch.inference_mode():
            images = self._preprocessing.normalise(
                torch.from_numpy(np.array(pixels, order="C")), getattr(torch, port.number)
            )
            if port.layout == "NHWC":
                images = images.permute(0, 2, 3, 1)
            return np.asarray(images.contiguous().numpy())


def open_session(
    model: OnnxModel, *, device: str, threads: int | None, optimised: bool = True
) -> onnxruntime.InferenceSession:
    """A session of ONNX Runtime on `device`. Raises WeightsError for a model that cannot run, or for a
    CUDA device if ONNX Runtime has no CUDA."""
    import onnxruntime

    provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise WeightsError(
            f"{model.source}: this machine's ONNX Runtime has no CUDA; install onnxruntime-gpu in place "
            "of onnxruntime"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; they are raised too
    options.use_deterministic_compute = True
    options.inter_op_num_threads = 1
    if threads is not None:
        options.intra_op_num_threads = threads
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model.data, options, providers=[provider])
    except runtime_errors() as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{model.source}: ONNX Runtime {onnxruntime.__version__} cannot run it ({reason}); export it "
            "with operators of an opset that it knows"
        ) from None


def runtime_errors() -> tuple[type[Exception], ...]:
    """The errors of ONNX Runtime for a model that it cannot load or run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.EPFail,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NotImplemented,
        state.RuntimeException,
    )


def check_ports(
    session: onnxruntime.InferenceSession, specification: OnnxSpecification, source: str
) -> None:
    """Raise WeightsError if a model's input and output differ from their description."""
    port, side = specification.input, specification.preprocessing.crop
    wanted = [3, side, side] if port.layout == "NCHW" else [side, side, 3]
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    problem = None
    if list(inputs) != [port.name]:
        problem = f"its inputs are {', '.join(inputs)}, not {port.name} alone"
    elif inputs[port.name].type != TENSORS[port.number]:
        problem = f"its input {port.name} is {inputs[port.name].type}, not {TENSORS[port.number]}"
    elif not _fits(inputs[port.name].shape[1:], wanted):
        problem = f"its input {port.name} is {inputs[port.name].shape}, not {['N', *wanted]}"
    elif specification.output not in outputs:
        problem = f"its outputs are {', '.join(outputs)}; none is {specification.output}"
    else:
        output = outputs[specification.output]
        if output.type not in VECTORS:
            problem = f"its output {output.name} is {output.type}, not of floats"
        elif output.shape and not _fits(output.shape[1:], [specification.dimension]):
            problem = (
                f"its output {output.name} is {output.shape}, not ['N', {specification.dimension}]"
            )
    if problem:
        raise WeightsError(f"{source}: {problem}, as its side-car says; mend one of the two")


def _fits(shape: Sequence[object], wanted: Sequence[int]) -> bool:
    """Whether a declared shape allows sizes. A name in place of a number allows any size."""
    return len(shape) == len(wanted) and all(
        not isinstance(size, int) or size == fixed
        for size, fixed in zip(shape, wanted, strict=True)
    )
