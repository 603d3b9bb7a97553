"""Local features of a picture: SIFT points with root-normalised descriptors.

Lowe, Distinctive image features from scale-invariant keypoints, 2004; Arandjelović and Zisserman, Three
things everyone should know to improve object retrieval, 2012 (root-SIFT). The detector is OpenCV's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

# Pixels of the long side of the picture in which points lie.
PICTURE_SIZE = 320
# 134 bytes a point: 240 points take 32,172 bytes, just below MAX_BYTES.
MAX_POINTS = 240
MAX_BYTES = 32 * 1024
# With fewer points geometry has nothing to see in a picture.
MIN_POINTS = 12

DIMENSIONS = 128
_MAGIC = b"SIFT"
_HEADER = struct.Struct("<4sHHH")  # magic, points, width, height


class PointsError(ValueError):
    """Stored points are not what was written."""


@dataclass(frozen=True)
class Points:
    """The local features of a picture whose long side is PICTURE_SIZE pixels.

    `positions` float32 [n, 2]: x and y in pixels. `sizes` float32 [n]: diameter in pixels. `angles`
    float32 [n]: degrees from the x axis towards the y axis. `descriptors` uint8 [n, 128]: root-SIFT.
    `width` and `height` in pixels.
    """

    positions: Floats
    sizes: Floats
    angles: Floats
    descriptors: Bytes
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def sufficient(self) -> bool:
        """Whether the picture has enough points for geometry to see something."""
        return len(self) >= MIN_POINTS

    def to_bytes(self) -> bytes:
        """The points in at most MAX_BYTES bytes: positions to 1/128 pixel, angles to 1.4 degrees."""
        raise NotImplementedError

    @staticmethod
    def from_bytes(data: bytes) -> Points:
        """The points that `to_bytes` wrote. Raises PointsError for other bytes."""
        raise NotImplementedError


def points_of(picture: Bytes) -> Points:
    """The strongest local features of a picture, uint8 [h, w, 3] of any size, at most MAX_POINTS."""
    raise NotImplementedError
