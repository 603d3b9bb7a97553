"""A feature space: all that decides which vector an image gets, and the fingerprint that names it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FeatureSpace:
    """What two vectors must have in common to be comparable, in words.

    `weights_source` tells where the weights were found; it is for readers and for `query`, which
    loads them again. It does not enter the fingerprint: the digest does.
    """

    backbone: str
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

    @property
    def preprocessing_words(self) -> str:
        """`preprocessing` for readers, its numbers to three decimals."""
        return re.sub(r"\d+\.\d{4,}", lambda number: f"{float(number[0]):.3f}", self.preprocessing)

    @property
    def fingerprint(self) -> str:
        """Names the folder of this space's vectors; untrained weights and the study's mode show."""
        described = {key: value for key, value in asdict(self).items() if key != "weights_source"}
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]
        marks = [] if self.trained else ["untrained"]
        if self.mode != "eval":
            marks.append(self.mode)
        return "-".join([self.backbone, *marks, digest])

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FeatureSpace:
        return cls(**{key: value for key, value in values.items() if key != "fingerprint"})
