"""Pictures that agree in a frame alone: one surround, with other things in it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

# Share of the overlap that counts as its inside: the part furthest from its edge.
INSIDE = 0.35
# Share of what lies around the inside that agrees in a frame, at least. Three painted frames have .79 to .93.
FRAME = 0.5
# Share of the inside that agrees, as a share of that around it, from which the pictures agree inside too.
# Three painted frames with other things in them have .30 to .58. Of 83 pairs of one picture a scroll whose
# inside is nearly black has .70, all others have .97 or more.
AGREES_INSIDE = 0.65
# Share of the points inside that are inliers, from which the pictures agree inside too, however large a part
# of it was lost or painted over. The three frames have at most .08, the scroll .31.
POINTS_INSIDE = 0.2


def is_frame(
    overlap: Flags, agreeing: Flags, texture: Floats, positions: Floats, inliers: Floats
) -> bool:
    """Whether two pictures agree around an inside that both fill, each with other things.

    The law: around the inside the pictures agree by FRAME or more. Inside they agree less than
    AGREES_INSIDE times as well, and fewer than POINTS_INSIDE of the points there are inliers. Shares are
    weighted by the lesser of both pictures' contrasts, so a hole in one picture does not count.
    `overlap`, `agreeing` bool [h, w]: what both pictures show, and where they agree. `texture` [h, w]: the
    lesser contrast. `positions` [n, 2] are all points of one picture and `inliers` [m, 2] those that agree,
    x and y in pixels of `overlap`."""
    depth = cv2.distanceTransform(np.pad(overlap.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = overlap & (depth >= np.quantile(depth[overlap], 1 - INSIDE))
    around = _share(agreeing, texture * (overlap & ~inside))
    if around < FRAME or _share(agreeing, texture * inside) >= AGREES_INSIDE * around:
        return False
    return _count(inside, inliers) < POINTS_INSIDE * _count(inside, positions)


def _share(agreeing: Flags, weight: Floats) -> float:
    total = float(weight.sum())
    return float(weight[agreeing].sum()) / total if total else 0.0


def _count(inside: Flags, places: Floats) -> int:
    """How many places lie inside."""
    height, width = inside.shape
    columns = np.clip(places[:, 0].astype(np.int64), 0, width - 1)
    rows = np.clip(places[:, 1].astype(np.int64), 0, height - 1)
    return int(inside[rows, columns].sum())
