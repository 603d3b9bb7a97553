"""Weight files. They are untrusted: reading runs no code in them, and digests are checked."""

from __future__ import annotations

import hashlib
import io
import pickle
import re

import safetensors
import safetensors.torch
import torch

from simsearch.errors import WeightsError
from simsearch.storage.storage import Storage

State = dict[str, torch.Tensor]

# torchvision's files carry the first eight hex digits of their SHA-256: vgg16-397923af.pth
_HASHED_NAME = re.compile(r"-([0-9a-f]{8})\.pth$")


class NotHereError(Exception):
    """A source does not have the weights. The next source has to be tried."""


def check_sidecar(storage: Storage, name: str, data: bytes) -> None:
    """Raise WeightsError if `<name>.sha256` beside a file names another digest than `data`'s."""
    wanted = storage.read_bytes(f"{name}.sha256").decode("ascii", "replace").split()
    if not wanted or hashlib.sha256(data).hexdigest() != wanted[0].lower():
        raise WeightsError(
            f"{storage.uri(name)}: its SHA-256 is not the one in {name}.sha256; get the file again"
        )


def load_state(name: str, data: bytes) -> State:
    """The tensors of a safetensors file, or of a PyTorch file that holds only tensors.

    Raises WeightsError for anything else, and if `name` contains a digest that is not `data`'s.
    """
    if (prefix := hash_in(name)) and not hashlib.sha256(data).hexdigest().startswith(prefix):
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
        isinstance(tensor, torch.Tensor) for tensor in state.values()
    ):
        raise WeightsError(f"{name}: holds no state_dict of tensors; save the network's state_dict")
    return dict(state)


def hash_in(name: str) -> str | None:
    """The first digits of the digest in a file name such as `vgg16-397923af.pth`."""
    match = _HASHED_NAME.search(name)
    return match.group(1) if match else None


def state_digest(state: State) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors."""
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
