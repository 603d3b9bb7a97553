"""What an encoder is: uint8 pixels [N, H, W, 3] in, float32 vectors [N, D] out.

An encoder is known by its specification before its weights are read, which takes no PyTorch; a family
is a file of `simsearch.encoders.backbones` (or of another package) that makes such specifications.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from simsearch.errors import UsageError
from simsearch.images.preprocessing import STUDY_2018, Preprocessing
from simsearch.settings.sections.operation import StorageConfig


class Encoder(Protocol):
    """An encoder at work."""

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Pixels [N, H, W, 3], as the specification's preprocessing gives them, to vectors
        [N, dimension]. A vector does not depend on the images beside it."""


@runtime_checkable
class SpatialEncoder(Encoder, Protocol):
    """An encoder that may tell what it saw where."""

    def feature_map(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32] | None:
        """Pixels [N, H, W, 3] to the last feature map before pooling [N, h, w, C], row 0 on top; None
        where the network has none. A cell stands for its share of the pixels."""


@dataclass(frozen=True)
class Weights:
    """The numbers of an encoder.

    `source` says in words where they were found; `digest` is the SHA-256 over all of them; `content`
    is what the encoder's family made of them (tensors by name, or a file's bytes), of `size` bytes.
    """

    source: str
    digest: str
    trained: bool
    content: Any
    size: int


@dataclass(frozen=True)
class Running:
    """How an encoder is run. `threads` None: as many as the process has set."""

    preprocessing: Preprocessing
    precision: str = "float32"
    mode: str = "eval"
    device: str = "cpu"
    batch_size: int = 1
    threads: int | None = None


class Loader(Protocol):
    """Makes an encoder of weights that fit it. Small, and can be pickled."""

    def load(self, weights: Weights, running: Running) -> Encoder:
        """The encoder at work. `weights` are this specification's own."""


class Specification(Loader, Protocol):
    """What is known of an encoder before its weights are read. Small, and can be pickled."""

    @property
    def name(self) -> str:
        """The name that settings call it by, such as `vgg16` or `timm:resnet50.a1_in1k`."""

    @property
    def dimension(self) -> int: ...

    @property
    def layer(self) -> str:
        """Which of the network's values the vector is, in words; part of every fingerprint."""

    @property
    def licence(self) -> str:
        """The terms of its published weights, as their publisher names them."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing that its weights were trained with."""

    @property
    def precision(self) -> str | None:
        """The only number format it runs in; None: float32, bfloat16 and float16."""

    @property
    def can_run_as_studied(self) -> bool:
        """Whether the study's preprocessing and its live mode make sense for it."""

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:
        """The weights from the first of `sources` that has them: `imagenet` (where its publisher has
        them), a folder or URI, `random:<seed>`. Raises WeightsError when none has, or when a file is
        broken, not what its digest says, or another encoder's."""

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:
        """The first of `sources` that has the weights without a download, unread; None: none has."""


class Family(Protocol):
    """Encoders that are made alike. `name` is the family's own, and the prefix of names such as
    `timm:resnet50`."""

    @property
    def name(self) -> str: ...

    def names(self) -> Sequence[str]:
        """The encoders there are, as settings name them; empty where they cannot be counted."""

    def specification(self, name: str, config: StorageConfig) -> Specification:
        """The encoder of that name. Raises UnknownNameError, or UsageError where a package that the
        family needs is not installed."""


def preprocessing_for(encoder: Specification, choice: str) -> Preprocessing:
    """What an encoder is shown: as its weights were trained ("weights"), or as in the study
    ("study-2018"). Raises UsageError for an encoder the study's does not fit."""
    if choice != "study-2018":
        return encoder.preprocessing
    check_studied(encoder, "extract.preprocessing")
    return STUDY_2018


def check_studied(encoder: Specification, setting: str) -> None:
    """Raises UsageError where `setting` is study-2018 and the encoder cannot run so."""
    if not encoder.can_run_as_studied:
        raise UsageError(
            f"{setting}: study-2018 does not fit {encoder.name}, which runs only as it was trained; "
            "leave the setting out or name other encoders"
        )
