"""The interface of encoders: uint8 pixels [N, H, W, 3] in, float32 vectors [N, D] out.

A specification describes an encoder before its weights are read, without PyTorch. A family is a file of
`simsearch.encoders.backbones` (or of another package) that makes such specifications.
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
        """The vectors [N, dimension] of pixels [N, H, W, 3], which come from the specification's
        preprocessing. A vector does not depend on the other images of its batch."""


@runtime_checkable
class SpatialEncoder(Encoder, Protocol):
    """An encoder that may give feature maps."""

    def feature_map(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32] | None:
        """The last feature map before pooling [N, h, w, C] of pixels [N, H, W, 3], row 0 on top. None if
        the network has no such map. A cell stands for its share of the pixels."""


@dataclass(frozen=True)
class Weights:
    """The numbers of an encoder.

    `source` names in words the place where they were found. `digest` is the SHA-256 over all of them.
    `content`, of `size` bytes, is the form that the encoder's family uses: tensors by name, or a file's
    bytes.
    """

    source: str
    digest: str
    trained: bool
    content: Any
    size: int


@dataclass(frozen=True)
class Running:
    """How an encoder is run. `threads` None: as many as the process uses."""

    preprocessing: Preprocessing
    precision: str = "float32"
    mode: str = "eval"
    device: str = "cpu"
    batch_size: int = 1
    threads: int | None = None


class Loader(Protocol):
    """Makes an encoder from weights that fit it. Small, and can be pickled."""

    def load(self, weights: Weights, running: Running) -> Encoder:
        """The encoder at work. `weights` come from this specification."""


class Specification(Loader, Protocol):
    """The description of an encoder before its weights are read. Small, and can be pickled."""

    @property
    def name(self) -> str:
        """The encoder's name in settings, such as `vgg16` or `timm:resnet50.a1_in1k`."""

    @property
    def dimension(self) -> int: ...

    @property
    def layer(self) -> str:
        """The layer whose values are the vector, in words. Part of every fingerprint."""

    @property
    def licence(self) -> str:
        """The terms of the published weights, in their publisher's words."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing with which the weights were trained."""

    @property
    def precision(self) -> str | None:
        """The only number format in which the encoder runs; None: float32, bfloat16 and float16."""

    @property
    def can_run_as_studied(self) -> bool:
        """Whether the study's preprocessing and live mode make sense for the encoder."""

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:
        """The weights from the first of `sources` that has them: `imagenet` (the publisher's), a folder or
        URI, `random:<seed>`. Raises WeightsError if none has them, or if a file is broken, differs from
        its digest, or belongs to another encoder."""

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:
        """The first of `sources` that has the weights without a download. They are not read. None: no
        source has them."""


class Family(Protocol):
    """Encoders that are made in the same way. `name` is the prefix of names such as `timm:resnet50`."""

    @property
    def name(self) -> str: ...

    def names(self) -> Sequence[str]:
        """The names of the family's encoders in settings. Empty if they cannot be listed."""

    def specification(self, name: str, config: StorageConfig) -> Specification:
        """The encoder of that name. Raises UnknownNameError, or UsageError if a package that the family
        needs is not installed."""


def preprocessing_for(encoder: Specification, choice: str) -> Preprocessing:
    """The preprocessing for an encoder: that of its weights ("weights") or the study's ("study-2018").
    Raises UsageError for an encoder that the study's does not fit."""
    if choice != "study-2018":
        return encoder.preprocessing
    check_studied(encoder, "extract.preprocessing")
    return STUDY_2018


def check_studied(encoder: Specification, setting: str) -> None:
    """Raise UsageError if the encoder cannot run as in the study, which `setting` asks for."""
    if not encoder.can_run_as_studied:
        raise UsageError(
            f"{setting}: study-2018 does not fit {encoder.name}, which runs only as it was trained; "
            "leave the setting out or name other encoders"
        )
