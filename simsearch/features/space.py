"""A feature space: everything that decides the vector of an image, and the fingerprint that names it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from simsearch.settings.sections.extraction import safe_name

Engine = Literal["pytorch", "onnxruntime"]
PYTORCH: Engine = "pytorch"
ONNX_RUNTIME: Engine = "onnxruntime"

# Most characters of an encoder's name in a folder's name: file systems allow 255, and a URI may be longer.
LONGEST_NAME = 100


JOINED = "joined"  # what stands for the encoder of a space that is made of others


@dataclass(frozen=True)
class FeatureSpace:
    """Everything that two vectors must have in common to be comparable, in words.

    `name` is unique in a run and names the space in tables, paths and addresses. `encoder` turns pixels
    into vectors, and `head`, if there is one, turns those into the space's vectors, which have
    `dimension` numbers. `weights_source` is the place where the encoder's weights were found, for readers
    and for `query`, which loads the weights again. `licence` has the terms of the weights in their
    publisher's words (None: not recorded). `engine` computed the vectors: another engine rounds
    differently. Digests are part of the fingerprint; name, source and licence are not.

    A joined space has `parts`, other spaces with their weights, and its vectors are made of theirs
    (`features.joined`). What its parts do not have in common is given for each.
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
    parts: tuple[tuple[FeatureSpace, float], ...] = ()

    @classmethod
    def joined(cls, name: str, parts: Sequence[tuple[FeatureSpace, float]]) -> FeatureSpace:
        """The space called `name` that joins `parts`, none of which is joined itself."""
        spaces = [space for space, _ in parts]
        listed = json.dumps([[space.fingerprint, weight] for space, weight in parts])
        first = spaces[0]
        return cls(
            name=name,
            encoder=JOINED,
            layer=JOINED,
            dimension=sum(space.dimension for space in spaces),
            weights_source=" and ".join(space.name for space in spaces),
            weights_digest=hashlib.sha256(listed.encode()).hexdigest(),
            trained=all(space.trained for space in spaces),
            preprocessing=_each([space.preprocessing for space in spaces]),
            mode=next((space.mode for space in spaces if space.mode != "eval"), "eval"),
            precision=_each([space.precision for space in spaces]),
            background=first.background,
            perturbations=first.perturbations,
            licence=_each([space.licence for space in spaces if space.licence]) or None,
            parts=tuple(parts),
        )

    @property
    def encoded(self) -> tuple[FeatureSpace, ...]:
        """The spaces whose encoders make this one's vectors: its parts, or itself."""
        return tuple(space for space, _ in self.parts) or (self,)

    @property
    def preprocessing_words(self) -> str:
        """`preprocessing` for readers, its numbers to three decimals."""
        return re.sub(r"\d+\.\d{4,}", lambda number: f"{float(number[0]):.3f}", self.preprocessing)

    @property
    def fingerprint(self) -> str:
        """A name that follows from everything that decides a vector. It also names the folder of this
        space's vectors, and it shows untrained weights and the study's mode."""
        digest = hashlib.sha256(
            json.dumps(self._fingerprint_parts(), sort_keys=True).encode()
        ).hexdigest()
        marks = [] if self.trained else ["untrained"]
        if self.mode != "eval":
            marks.append(self.mode)
        if self.head is not None:
            marks.append(self.head)
        return "-".join([safe_name(self.encoder)[-LONGEST_NAME:], *marks, digest[:16]])

    def _fingerprint_parts(self) -> dict[str, Any]:
        """The parts of the fingerprint, under the names of the first format of roots, so that vectors
        stored then stay valid."""
        described = asdict(self)
        for key in ("name", "weights_source", "licence"):
            del described[key]
        described["backbone"] = described.pop("encoder")
        if self.head is None:
            del described["head"], described["head_digest"]
        if self.engine == PYTORCH:
            del described["engine"]
        if self.parts:  # weights_digest holds their fingerprints and weights
            for key in ("preprocessing", "precision"):
                del described[key]
        del described["parts"]
        return described

    def to_json(self) -> dict[str, Any]:
        values = {**asdict(self), "fingerprint": self.fingerprint}
        # Left out for PyTorch, as before there were other engines, so that snapshots keep their ids.
        if self.engine == PYTORCH:
            del values["engine"]
        if self.licence is None:
            del values["licence"]
        del values["parts"]
        if self.parts:
            values["parts"] = [[space.to_json(), weight] for space, weight in self.parts]
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FeatureSpace:
        known = {key: value for key, value in values.items() if key != "fingerprint"}
        parts = tuple((cls.from_json(space), weight) for space, weight in known.pop("parts", ()))
        return cls(**known, parts=parts)


def _each(values: Sequence[str]) -> str:
    """The values in their order, each once."""
    return "; ".join(dict.fromkeys(values))
