"""ONNX files. They are untrusted: read whole, with their data files, and checked before they run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simsearch.encoders.weight_files import check_sidecar
from simsearch.errors import NotFoundError, WeightsError
from simsearch.storage.storage import Storage

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

MOST_BYTES = 2**31 - 1  # a protocol buffer cannot be larger


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX model in one piece. `digest` is the SHA-256 over its file and its data files."""

    source: str
    data: bytes
    digest: str


def read_model(storage: Storage, name: str) -> OnnxModel:
    """The model in a file of a folder, with the data files that it names included.

    Raises WeightsError for a file that is no ONNX model, differs from `<name>.sha256`, names data files
    outside its folder, or is too large in one piece. Raises NotFoundError for a missing file.
    """
    data = storage.read_bytes(name)
    source = storage.uri(name)
    if storage.exists(f"{name}.sha256"):
        check_sidecar(storage, name, data)
    model = _parse(source, data)
    digest = hashlib.sha256(data)
    outside = {}
    for tensor in _tensors(model):
        if not _is_outside(tensor):
            continue
        place = {entry.key: entry.value for entry in tensor.external_data}
        file = place.get("location", "")
        if not file or "/" in file or "\\" in file or file == "..":
            raise WeightsError(
                f"{source}: keeps tensor {tensor.name!r} in {file!r}, outside its own folder; "
                "save the model with its data in one file beside it"
            )
        if file not in outside:
            outside[file] = _data_file(storage, source, file)
            digest.update(hashlib.sha256(outside[file]).digest())
        _draw_in(tensor, outside[file], place, f"{source}: {file}")
    if outside:
        if model.ByteSize() > MOST_BYTES:
            raise WeightsError(f"{source}: larger than 2 GiB; export a smaller model")
        data = model.SerializeToString(deterministic=True)
    return OnnxModel(source, data, digest.hexdigest())


def _parse(source: str, data: bytes) -> ModelProto:
    import onnx
    from google.protobuf import message

    try:
        model = onnx.load_model_from_string(data)
    except message.DecodeError:
        raise WeightsError(f"{source}: not an ONNX file; get it again or export it anew") from None
    if not model.graph.node:
        raise WeightsError(f"{source}: not an ONNX file; get it again or export it anew")
    return model


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every constant of a model, also within branches, loops and functions."""
    yield from _graph_tensors(model.graph)
    for function in model.functions:
        yield from _node_tensors(function.node)


def _graph_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Any) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for graph in (attribute.g, *attribute.graphs):
                yield from _graph_tensors(graph)


def _is_outside(tensor: TensorProto) -> bool:
    # A location counts even without the flag: a runtime might follow it.
    return bool(tensor.external_data) or tensor.data_location == tensor.EXTERNAL


def _data_file(storage: Storage, source: str, file: str) -> bytes:
    try:
        return storage.read_bytes(file)
    except NotFoundError:
        raise WeightsError(
            f"{source}: its data file {file} is not beside it; put it there"
        ) from None


def _draw_in(tensor: TensorProto, data: bytes, place: dict[str, str], where: str) -> None:
    try:
        start = int(place.get("offset", 0))
        length = int(place.get("length", len(data) - start))
    except ValueError:
        start, length = 0, -1
    if start < 0 or length < 0 or start + length > len(data):
        raise WeightsError(f"{where}: too short for tensor {tensor.name!r}; get both files again")
    tensor.raw_data = data[start : start + length]
    tensor.ClearField("external_data")
    tensor.data_location = tensor.DEFAULT
