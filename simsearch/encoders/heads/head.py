"""A head: it maps an encoder's vectors to those of another feature space, without the images.

All kinds of head have the same form, so that one function applies them and one file holds them. A vector
is brought to unit length, then goes through linear layers with a ReLU between each two. The kinds differ
in how their layers are fitted: `simsearch.encoders.heads.whitening`,
`simsearch.encoders.heads.denoising`, `simsearch.training.contrastive`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import safetensors
import safetensors.numpy

from simsearch.errors import WeightsError
from simsearch.features.vectors import Vectors, unit_rows

ROWS_AT_ONCE = 8192  # 8192 × 2048 float32 are 64 MiB


@dataclass(frozen=True)
class Layer:
    """x → x · weight + bias; `weight` float32 [in, out], `bias` float32 [out]."""

    weight: Vectors
    bias: Vectors


@dataclass(frozen=True)
class Head:
    """Turns vectors float32 [n, input_dimension] into float32 [n, dimension]."""

    layers: tuple[Layer, ...]

    @property
    def input_dimension(self) -> int:
        return len(self.layers[0].weight)

    @property
    def dimension(self) -> int:
        return len(self.layers[-1].bias)

    def __call__(self, vectors: Vectors) -> Vectors:
        """The vectors that the head makes of `vectors`. Raises WeightsError if they have another dimension
        than the head was fitted for."""
        if vectors.shape[1] != self.input_dimension:
            raise WeightsError(
                f"the head takes vectors of {self.input_dimension} numbers, these have "
                f"{vectors.shape[1]}; it was fitted for another encoder: run `simsearch train`"
            )
        parts = [
            self._apply(vectors[start : start + ROWS_AT_ONCE])
            for start in range(0, len(vectors), ROWS_AT_ONCE)
        ]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *parts])

    def _apply(self, vectors: Vectors) -> Vectors:
        values = unit_rows(vectors)
        for number, layer in enumerate(self.layers):
            if number:
                np.maximum(values, 0, out=values)
            values = values @ layer.weight + layer.bias
        return values

    def to_bytes(self) -> bytes:
        """The layers as a safetensors file; the same layers give the same bytes."""
        tensors = {}
        for number, layer in enumerate(self.layers):
            tensors[f"layers.{number}.weight"] = np.ascontiguousarray(layer.weight)
            tensors[f"layers.{number}.bias"] = np.ascontiguousarray(layer.bias)
        return safetensors.numpy.save(tensors)

    @property
    def digest(self) -> str:
        """The SHA-256 of the stored form."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Head:
        """The head from the bytes of `to_bytes`. For other bytes it raises WeightsError, which names
        `source`."""
        try:
            tensors = safetensors.numpy.load(data)
            layers = tuple(
                Layer(tensors.pop(f"layers.{number}.weight"), tensors.pop(f"layers.{number}.bias"))
                for number in range(len(tensors) // 2)
            )
            sound = bool(layers) and not tensors and _are_compatible(layers)
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError):
            sound = False
        if not sound:
            raise WeightsError(f"{source}: not a head of simsearch's; remove it and train again")
        return cls(layers)


def _are_compatible(layers: tuple[Layer, ...]) -> bool:
    width = None
    for layer in layers:
        if layer.weight.ndim != 2 or layer.bias.shape != layer.weight.shape[1:]:
            return False
        if layer.weight.dtype != np.float32 or layer.bias.dtype != np.float32:
            return False
        if width is not None and len(layer.weight) != width:
            return False
        width = layer.weight.shape[1]
    return True
