"""Matching parts of two pictures, by the local features of one network. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FeatureMap = npt.NDArray[np.float32]
Cell = tuple[int, int]


@dataclass(frozen=True)
class PartMatch:
    """Two cells, each (row, column) of its feature map, that are nearest to each other. `score` is the
    cosine of their features."""

    first: Cell
    second: Cell
    score: float


def mutual_matches(first: FeatureMap, second: FeatureMap) -> list[PartMatch]:
    """Cells of two maps [h, w, C] that are each other's nearest, the most alike first.

    A cell without any feature, all zero, matches nothing.
    """
    left, right = _unit_cells(first), _unit_cells(second)
    similarity = left @ right.T
    similarity[~left.any(axis=1)] = -np.inf
    similarity[:, ~right.any(axis=1)] = -np.inf
    forth, back = similarity.argmax(axis=1), similarity.argmax(axis=0)
    cells = np.flatnonzero(back[forth] == np.arange(len(left)))
    scores = similarity[cells, forth[cells]]
    order = np.lexsort((cells, -scores))
    return [
        PartMatch(
            _cell(int(cells[place]), first),
            _cell(int(forth[cells[place]]), second),
            float(scores[place]),
        )
        for place in order
        if np.isfinite(scores[place])
    ]


def _unit_cells(maps: FeatureMap) -> npt.NDArray[np.float64]:
    cells = maps.reshape(-1, maps.shape[2]).astype(np.float64)
    lengths = np.linalg.norm(cells, axis=1, keepdims=True)
    return np.asarray(cells / np.where(lengths > 0, lengths, 1))


def _cell(number: int, maps: FeatureMap) -> Cell:
    columns = int(maps.shape[1])
    return number // columns, number % columns
