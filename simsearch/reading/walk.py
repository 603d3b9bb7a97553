"""A walk from one artwork to another along nearest neighbours, in one space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import dijkstra

from simsearch.reading.findings.neighbour_lists import NeighbourLists
from simsearch.reading.view import SnapshotView

NO_STEP = -9999  # SciPy's mark for the start, and for a place that cannot be reached
SAME = 1e-6  # the length of a step between equal vectors: a sparse matrix cannot hold an edge of 0


@dataclass(frozen=True)
class Walk:
    """The `numbers` of the artworks on the way, with both ends, and the `distances` of the steps. If the end
    cannot be reached, the walk goes to the reachable artwork nearest to it, and `gap` is the distance from
    there to the end. Otherwise `gap` is None."""

    numbers: list[int]
    distances: list[float]
    gap: float | None = None


def neighbour_graph(lists: NeighbourLists) -> Any:
    """A sparse matrix [artworks, artworks] of the distances between artworks of which one is among the
    other's nearest."""
    rows, columns = np.nonzero(lists.numbers >= 0)
    lengths = np.maximum(lists.distances[rows, columns].astype(np.float64), SAME)
    n = len(lists.numbers)
    forth = scipy.sparse.csr_array((lengths, (rows, lists.numbers[rows, columns])), shape=(n, n))
    return forth.maximum(forth.T).tocsr()


def shortest_walk(view: SnapshotView, space: str, graph: Any, first: int, last: int) -> Walk:
    """The walk between two artworks whose steps have the smallest sum (Dijkstra 1959)."""
    lengths, before = dijkstra(graph, indices=first, return_predecessors=True)
    if np.isfinite(lengths[last]):
        return _walk(graph, before, first, last)
    nearest, gap = _find_nearest_reached(view, space, np.flatnonzero(np.isfinite(lengths)), last)
    return _walk(graph, before, first, nearest, gap)


def _find_nearest_reached(
    view: SnapshotView, space: str, reached: npt.NDArray[np.int64], last: int
) -> tuple[int, float]:
    item = int(view.item_of_artwork[last])
    distances = {
        int(number): view.distance(space, int(view.item_of_artwork[number]), item)
        for number in reached
    }
    nearest = min(distances, key=lambda number: (distances[number], number))
    return nearest, distances[nearest]


def _walk(
    graph: Any, before: npt.NDArray[np.int32], first: int, last: int, gap: float | None = None
) -> Walk:
    numbers = [last]
    while numbers[-1] != first and before[numbers[-1]] != NO_STEP:
        numbers.append(int(before[numbers[-1]]))
    numbers.reverse()
    steps = pairwise(numbers)
    return Walk(numbers, [float(graph[start, end]) for start, end in steps], gap)
