"""A feature space: all that decides which vector an image gets, and the fingerprint that names it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from simsearch.settings.sections.extraction import safe_name

Engine = Literal["pytorch", "onnxruntime"]
PYTORCH: Engine = "pytorch"
ONNX_RUNTIME: Engine = "onnxruntime"

LONGEST_NAME = (
    100  # of an encoder in a folder's name: file systems take 255, and a URI may be longer
)


@dataclass(frozen=True)
class FeatureSpace:
    """What two vectors must have in common to be comparable, in words.

    `name` is unique in a run and names the space in tables, paths and addresses. `encoder` turns
    pixels into vectors and `head`, where there is one, those vectors into the space's; `dimension`
    is that of the space. `weights_source` tells where the encoder's weights were found; it is for
    readers and for `query`, which loads them again; `licence` is the terms of those weights, as
    their publisher names them (None: not recorded). Neither of them nor the name enters the
    fingerprint: the digests do. `engine` computed the vectors: the same network rounds differently in another.
    """

    name: str
    encoder: str
    layer: str
    dimension: int
    weights_source: str
    weights_digest: str
    trained: bool
    preprocessing: str
    mode: str
    precision: str
    background: str
    perturbations: str
    head: str | None = None
    head_digest: str | None = None
    engine: Engine = PYTORCH
    licence: str | None = None

    @property
    def preprocessing_words(self) -> str:
        """`preprocessing` for readers, its numbers to three decimals."""
        return re.sub(r"\d+\.\d{4,}", lambda number: f"{float(number[0]):.3f}", self.preprocessing)

    @property
    def fingerprint(self) -> str:
        """A name that follows from everything that decides a vector, and that of the folder of this
        space's vectors. Untrained weights and the study's mode can be read in it."""
        digest = hashlib.sha256(json.dumps(self._described(), sort_keys=True).encode()).hexdigest()
        marks = [] if self.trained else ["untrained"]
        if self.mode != "eval":
            marks.append(self.mode)
        if self.head is not None:
            marks.append(self.head)
        return "-".join([safe_name(self.encoder)[-LONGEST_NAME:], *marks, digest[:16]])

    def _described(self) -> dict[str, Any]:
        """All that enters the fingerprint, under the names that the first format of roots used, so that
        vectors stored then stay valid."""
        described = asdict(self)
        for key in ("name", "weights_source", "licence"):
            del described[key]
        described["backbone"] = described.pop("encoder")
        if self.head is None:
            del described["head"], described["head_digest"]
        if self.engine == PYTORCH:
            del described["engine"]
        return described

    def to_json(self) -> dict[str, Any]:
        values = {**asdict(self), "fingerprint": self.fingerprint}
        if self.engine == PYTORCH:  # as it was before there were others: ids of snapshots stay
            del values["engine"]
        if self.licence is None:
            del values["licence"]
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FeatureSpace:
        return cls(**{key: value for key, value in values.items() if key != "fingerprint"})
