"""Matched points of two pictures, and how a picture that is turned over looks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simsearch.geometry.points import Points

Indices = npt.NDArray[np.int64]

RATIO = 0.97
# Pixels: matches that begin and end as close to another are one observation.
SAME_PLACE = 2.0


def turned_over(points: Points) -> Points:
    """The points of the picture's mirror image; no pixel is needed.

    The rows of the 4 × 4 cells of a descriptor lie across its direction, so a mirror reverses them and
    the sense of rotation of the 8 directions within a cell.
    """
    cells = points.descriptors.reshape(-1, 4, 4, 8)[:, ::-1][..., -np.arange(8) % 8]
    return Points(
        np.column_stack([points.width - points.positions[:, 0], points.positions[:, 1]]),
        points.sizes,
        (180 - points.angles) % 360,
        np.ascontiguousarray(cells.reshape(-1, 128)),
        np.ascontiguousarray(points.thumbnail[:, ::-1]),
        points.width,
        points.height,
    )


def squared_distances(a: Points, b: Points) -> npt.NDArray[np.float32]:
    """Squared distances [n, m] of descriptors, exact: they are integers below 2²⁴."""
    left, right = a.descriptors.astype(np.float32), b.descriptors.astype(np.float32)
    squares: npt.NDArray[np.float32] = (left**2).sum(1)[:, None] + (right**2).sum(1)
    return squares - 2 * left @ right.T


def match(a: Points, b: Points, squares: npt.NDArray[np.float32]) -> Indices:
    """Pairs [m, 2] of points of a and b that are each other's nearest and nearer than RATIO × the second
    nearest; the most distinct first. `squares`: squared distances of descriptors."""
    if min(len(a), len(b)) < 2:
        return np.zeros((0, 2), np.int64)
    nearest_b, ratio_b = _nearest(squares)
    nearest_a, ratio_a = _nearest(squares.T)
    rows = np.arange(len(a))
    ratio = np.maximum(ratio_b, ratio_a[nearest_b])
    rows = rows[(nearest_a[nearest_b] == rows) & (ratio < RATIO**2)]
    rows = rows[np.argsort(ratio[rows], kind="stable")]
    pairs = np.column_stack([rows, nearest_b[rows]])
    return pairs[_apart(a.positions[pairs[:, 0]], b.positions[pairs[:, 1]])]


def _nearest(squares: npt.NDArray[np.float32]) -> tuple[Indices, npt.NDArray[np.float32]]:
    two = np.argpartition(squares, 1, axis=1)[:, :2]
    values = np.take_along_axis(squares, two, 1)
    order = np.argsort(values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, 1)
    first = np.take_along_axis(two, order, 1)[:, 0]
    return first, values[:, 0] / np.maximum(values[:, 1], 1)


def _apart(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which matches lie SAME_PLACE apart from all better ones in one of the pictures at least."""
    near = np.maximum(np.abs(a[:, None] - a).max(2), np.abs(b[:, None] - b).max(2)) < SAME_PLACE
    return ~np.tril(near, -1).any(1)
