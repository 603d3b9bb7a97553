"""Which parts of two pictures agree: matched points that one plane transform explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.geometry.points import Floats, Points


@dataclass(frozen=True)
class Agreement:
    """What two pictures a and b show in common.

    `inliers`: matched points that the transform explains. `evidence`: −log10 of the number of agreements
    this good that chance would give these two pictures, were all matches independent;
    `false_alarms.Chance` turns it into a number of false alarms. `transform` float64 [3, 3]: homography
    from pixels of a to pixels of b (pictures of PICTURE_SIZE pixels). `mirrored`: it turns a over.
    `matches` int64 [inliers, 2]: the points of a and of b. `outline_a`, `outline_b` float32 [m, 2]: the
    common region in pixels of each picture, a convex polygon; corner i of one lies on corner i of the
    other. `share_a`, `share_b`: the region's share of each picture's area. `support`: the share of the
    points in the region that the transform explains, of the picture where it is lower. `residual`: median
    distance in pixels of b of an inlier from where the transform puts it.
    """

    inliers: int
    evidence: float
    transform: npt.NDArray[np.float64]
    mirrored: bool
    matches: npt.NDArray[np.int64]
    outline_a: Floats
    outline_b: Floats
    share_a: float
    share_b: float
    support: float
    residual: float


def agree(a: Points, b: Points) -> Agreement | None:
    """The best agreement of two pictures; None where no plausible transform explains enough matches.

    The result depends on the points alone. Swapped pictures give the inverse.
    """
    raise NotImplementedError
