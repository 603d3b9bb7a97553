"""The sources of a network's weights, and the check that the weights are the right ones. Weight files are
untrusted."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from simsearch.encoders.encoder import Weights
from simsearch.encoders.weight_files import (
    NotHereError,
    State,
    check_sidecar,
    load_state,
    state_digest,
)
from simsearch.errors import StorageError, UsageError, WeightsError
from simsearch.settings.sections.extraction import PUBLISHED, safe_name
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


class Published(Protocol):
    """The place where a network's publisher offers its weights."""

    def at_hand(self) -> str | None:
        """The place of the weights on this machine, in words. None if they are not on it."""

    def read(self) -> tuple[str, State]:
        """The place of the weights in words, and their tensors.

        Raises NotHereError if they are not available, WeightsError for a file that is not the
        publisher's."""


def keep_state(state: State) -> State:
    return state


@dataclass(frozen=True)
class WeightSources:
    """Finds a network's weights in the sources that settings name, and adapts their keys.

    `build()` makes the whole network without weights. Its `state_dict` has the keys of the published
    weights, and `renamed` converts the keys of other files to these. In a folder the files are called
    <name>.safetensors or .pth, or as `files` says. `others` has the fault of files with other weights of
    the same network, by the first digits of their SHA-256.
    """

    name: str
    build: Callable[[], nn.Module]
    published: Published
    renamed: Callable[[State], State] = keep_state
    files: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, sources: Sequence[str], config: StorageConfig) -> Weights:
        """`simsearch.encoders.encoder.Specification.weights`. Sources without the weights are logged."""
        reasons = []
        for source in sources:
            try:
                place, state = self._read(source, config)
            except NotHereError as error:
                log.warning("%s: no weights from %s: %s", self.name, source, error)
                reasons.append(f"{source}: {error}")
                continue
            state = self._checked(state, place)
            size = sum(tensor.nbytes for tensor in state.values())
            trained = not source.startswith("random:")
            return Weights(place, state_digest(state), trained, state, size)
        files = " or ".join(self.file_names())
        raise WeightsError(
            f"{self.name}: no weights ({'; '.join(reasons)}); put {files} into a "
            "folder and set extract.weights=[<folder>], or extract.weights=['random:0'] to run untrained"
        )

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:
        """`simsearch.encoders.encoder.Specification.at_hand`."""
        for source in sources:
            if source == PUBLISHED:
                place = self.published.at_hand()
            elif source.startswith("random:"):
                place = source
            else:
                place = self._place_in(Storage(source, config))
            if place is not None:
                return place
        return None

    @property
    def _stem(self) -> str:
        return safe_name(self.name.rpartition(":")[2])

    def file_names(self) -> tuple[str, ...]:
        """The names under which these weights are looked for in a folder, in this order."""
        stem = self._stem
        return f"{stem}.safetensors", f"{stem}.pth", *self.files

    def _read(self, source: str, config: StorageConfig) -> tuple[str, State]:
        if source == PUBLISHED:
            return self.published.read()
        if source.startswith("random:"):
            return source, self._random(source.removeprefix("random:"))
        return self._from_folder(Storage(source, config))

    def _random(self, seed: str) -> State:
        if not seed.isdecimal():
            raise UsageError(f"extract.weights: 'random:{seed}' has no seed; write random:0")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))
            return dict(self.build().state_dict())

    def _place_in(self, storage: Storage) -> str | None:
        try:
            return storage.uri(self._file_in({info.path for info in storage.files()}, storage.root))
        except (StorageError, NotHereError):
            return None

    def _from_folder(self, storage: Storage) -> tuple[str, State]:
        try:
            names = {info.path for info in storage.files()}
        except StorageError as error:
            raise NotHereError(str(error)) from None
        name = self._file_in(names, storage.root)
        data = storage.read_bytes(name)
        if f"{name}.sha256" in names:
            check_sidecar(storage, name, data)
        digest = hashlib.sha256(data).hexdigest()
        for start, fault in self.others.items():
            if digest.startswith(start):
                raise WeightsError(f"{storage.uri(name)}: {fault}")
        return storage.uri(name), load_state(storage.uri(name), data)

    def _file_in(self, names: set[str], root: str) -> str:
        fitting = self.file_names()
        hashed = re.compile(rf"^{re.escape(self._stem)}-[0-9a-f]{{8}}\.pth$")
        for name in (*fitting, *sorted(name for name in names if hashed.match(name))):
            if name in names:
                return name
        raise NotHereError(f"{root} has no {' or '.join(fitting)}")

    def _checked(self, state: State, place: str) -> State:
        """The tensors in the network's own keys and order. Raises WeightsError for another network's
        weights."""
        wanted = skeleton(self.build).state_dict()
        own_state = self.renamed(state)
        # This tensor only counts batches in training. Weights older than PyTorch 0.4.1 lack it.
        for key, tensor in wanted.items():
            if key.endswith("num_batches_tracked"):
                own_state.setdefault(key, torch.zeros(tensor.shape, dtype=tensor.dtype))
        problem = next((f"no {key}" for key in wanted if key not in own_state), None)
        problem = problem or next(
            (f"unknown {key}" for key in own_state if key not in wanted), None
        )
        problem = problem or next(
            (
                f"{key} is {tuple(own_state[key].shape)}, the network's is {tuple(tensor.shape)}"
                for key, tensor in wanted.items()
                if own_state[key].shape != tensor.shape
            ),
            None,
        )
        if problem:
            raise WeightsError(
                f"{place}: not weights of {self.name} ({problem}); are they another network's?"
            )
        return {key: own_state[key].to(tensor.dtype).contiguous() for key, tensor in wanted.items()}


# The functions by which layers initialise themselves, of those that a mode can intercept.
LEFT_OUT = {nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_}
# trunc_normal_ calls these until every number is within bounds. Without them it might never end.
ZEROED = {torch.Tensor.normal_, torch.Tensor.uniform_}


def skeleton(build: Callable[[], nn.Module]) -> nn.Module:
    """The network that `build` makes, with tensors of the right shapes but without meaningful numbers."""
    with Undrawn():
        try:
            with torch.device("meta"):
                return build()
        except NotImplementedError:  # RegNets compute their widths with tensors
            return build()


class Undrawn(TorchFunctionMode):
    """A context in which networks are built without random weights, for callers that replace all weights:
    drawing them takes longer than building."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        named = named or {}
        if function in LEFT_OUT or function in ZEROED:
            tensor: torch.Tensor = named["tensor"] if "tensor" in named else arguments[0]
            if function in ZEROED:
                tensor.detach().zero_()
            return tensor
        return function(*arguments, **named)
