"""Weight files, which are untrusted: read without running anything in them, checked by digest."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from dataclasses import dataclass

import safetensors
import safetensors.torch
import torch

from simsearch.errors import WeightsError
from simsearch.storage.storage import Storage

State = dict[str, torch.Tensor]

# torchvision's files carry the first eight hex digits of their SHA-256: vgg16-397923af.pth
_HASHED_NAME = re.compile(r"-([0-9a-f]{8})\.pth$")


@dataclass(frozen=True)
class Weights:
    """A network's tensors. `source` says in words where they were found; `digest` is the SHA-256 over
    names, types, shapes and bytes of all of them."""

    source: str
    digest: str
    trained: bool
    state: State


class _NotHereError(Exception):
    """This source does not have the weights; the next may."""


def _check_sidecar(storage: Storage, name: str, data: bytes) -> None:
    wanted = storage.read_bytes(f"{name}.sha256").decode("ascii", "replace").split()
    if not wanted or hashlib.sha256(data).hexdigest() != wanted[0].lower():
        raise WeightsError(
            f"{storage.uri(name)}: its SHA-256 is not the one in {name}.sha256; get the file again"
        )


def _load(name: str, data: bytes) -> State:
    if (prefix := _hash_in(name)) and not hashlib.sha256(data).hexdigest().startswith(prefix):
        raise WeightsError(f"{name}: its SHA-256 does not begin with {prefix}; get the file again")
    try:
        if name.endswith(".safetensors"):
            state = safetensors.torch.load(data)
        else:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
        safetensors.SafetensorError,
    ) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{name}: not a file of plain weights ({first}); get the file again"
        ) from None
    if not isinstance(state, dict) or not all(
        isinstance(one, torch.Tensor) for one in state.values()
    ):
        raise WeightsError(f"{name}: holds no state_dict of tensors; save the network's state_dict")
    return dict(state)


def _hash_in(name: str) -> str | None:
    match = _HASHED_NAME.search(name)
    return match.group(1) if match else None


def _digest(state: State) -> str:
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
