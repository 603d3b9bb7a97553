"""Where a network's weights come from, and proof of which they are. Weight files are untrusted."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import torch

from simsearch.config import StorageConfig
from simsearch.encoders.backbones.efficientnet_lite import _packaged
from simsearch.encoders.backbones.torchvision import (
    _OLD_DENSENET_KEY,
    _published,
)
from simsearch.encoders.encoder import Backbone, skeleton
from simsearch.encoders.weight_files import (
    State,
    Weights,
    _check_sidecar,
    _digest,
    _load,
    _NotHereError,
)
from simsearch.errors import StorageError, UsageError, WeightsError
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


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
