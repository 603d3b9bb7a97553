"""Local features of a picture: SIFT points with root-normalised descriptors, and a small grey picture.

Lowe, Distinctive image features from scale-invariant keypoints, 2004; Arandjelović and Zisserman, Three
things everyone should know to improve object retrieval, 2012 (root-SIFT). The detector is OpenCV's.

Of 300 pairs of edited paintings SIFT finds all, by more inliers than any of 190 pairs of other paintings has;
ORB .993, AKAZE all. A picture takes SIFT 35 ms, ORB 5, AKAZE 14 on a busy core. OpenCV 5 has no AKAZE.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from simsearch import schemas

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

# Pixels of the long side of the picture in which points lie. Of 100 details pasted into other paintings 95
# have evidence of 4 or more at 240 and 256, 92 at 320, which takes half as long again.
PICTURE_SIZE = schemas.PICTURE_SIZE
# Pixels of the picture that a pixel of its thumbnail covers, along each side.
REDUCTION = 4
# 136 bytes a point and at most 64² of the thumbnail: 210 points take 32,666 bytes, below MAX_BYTES.
MAX_POINTS = 210
MAX_BYTES = 32 * 1024
# With fewer points geometry has nothing to see in a picture: they hardly make five observations apart
# (`agreement.OBSERVATION`), of which three fix a transform.
MIN_POINTS = 12
# OpenCV's contrast threshold, half its default: of 5,000 paintings 99 of 100 have 194 points or more, the
# poorest 34.
CONTRAST = 0.02
# The points to choose from, and the cells along each side in which a point counts for less after each
# stronger one. Of 100 pasted details the transform is right for 96, for 95 with the 240 strongest points.
CANDIDATES, CELLS = 480, 8
DIMENSIONS = 128
_MAGIC = b"SIFT"
_HEADER = struct.Struct("<4sHHH")  # magic, points, width, height
_ROW = np.dtype(
    [
        ("position", "<u2", 2),
        ("size", "<u2"),
        ("angle", "<u2"),
        ("descriptor", "u1", DIMENSIONS),
    ]
)
_POSITION_STEPS = 128.0  # a pixel
_SIZE_STEPS = 4096.0  # a factor of two
_ANGLE_STEPS = 65536 / 360  # a degree


class PointsError(ValueError):
    """Stored points are not what was written."""


@dataclass(frozen=True)
class Points:
    """The local features of a picture whose long side is PICTURE_SIZE pixels.

    `positions` float32 [n, 2]: x and y in pixels. `sizes` float32 [n]: diameter in pixels. `angles`
    float32 [n]: degrees from the x axis towards the y axis. `descriptors` uint8 [n, 128]: root-SIFT.
    `thumbnail` uint8 [height / REDUCTION, width / REDUCTION], rounded up: the picture in grey. `width` and
    `height` in pixels.
    """

    positions: Floats
    sizes: Floats
    angles: Floats
    descriptors: Bytes
    thumbnail: Bytes
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def sufficient(self) -> bool:
        """Whether the picture has enough points for geometry to see something."""
        return len(self) >= MIN_POINTS

    def to_bytes(self) -> bytes:
        """The points in at most MAX_BYTES bytes: positions to 1/128 pixel, sizes to 1/4,096 of a
        factor of two, angles to 360°/65,536. `from_bytes` gives the same points back if these came from bytes or
        from `points_of`."""
        rows = np.empty(len(self), _ROW)
        rows["position"] = np.round(self.positions * _POSITION_STEPS)
        rows["size"] = np.round(np.log2(self.sizes) * _SIZE_STEPS)
        rows["angle"] = np.round(self.angles * _ANGLE_STEPS).astype(np.int64) % 2**16
        rows["descriptor"] = self.descriptors
        header = _HEADER.pack(_MAGIC, len(self), self.width, self.height)
        return header + rows.tobytes() + self.thumbnail.tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> Points:
        """The points that `to_bytes` wrote. Raises PointsError for other bytes."""
        if not _HEADER.size <= len(data) <= MAX_BYTES:
            raise PointsError(f"{len(data)} bytes are no stored points")
        magic, count, width, height = _HEADER.unpack_from(data)
        if magic != _MAGIC or count > MAX_POINTS:
            raise PointsError("the header is not one of stored points")
        if not (1 <= width <= PICTURE_SIZE and 1 <= height <= PICTURE_SIZE):
            raise PointsError(f"a picture of {width} × {height} pixels has no stored points")
        shape, end = _thumbnail_shape(width, height), _HEADER.size + count * _ROW.itemsize
        if len(data) != end + shape[0] * shape[1]:
            raise PointsError(f"{len(data)} bytes are not the size of {count} points")
        thumbnail = np.frombuffer(data, np.uint8, offset=end).reshape(shape)
        rows = np.frombuffer(data, _ROW, count, _HEADER.size)
        points = _from_rows(rows, thumbnail, width, height)
        inside = (points.positions <= (width, height)).all()
        if not (inside and (points.sizes >= 1).all() and (points.sizes <= 4 * PICTURE_SIZE).all()):
            raise PointsError("a point lies outside of the picture")
        return points


def _thumbnail_shape(width: int, height: int) -> tuple[int, int]:
    return -(-height // REDUCTION), -(-width // REDUCTION)


def _from_rows(rows: npt.NDArray[np.void], thumbnail: Bytes, width: int, height: int) -> Points:
    return Points(
        rows["position"].astype(np.float32) / _POSITION_STEPS,
        np.exp2(rows["size"].astype(np.float32) / _SIZE_STEPS),
        rows["angle"].astype(np.float32) / _ANGLE_STEPS,
        rows["descriptor"].copy(),
        thumbnail.copy(),
        width,
        height,
    )


def points_of(picture: Bytes) -> Points:
    """The strongest local features of a picture, uint8 [h, w, 3] of any size, at most MAX_POINTS."""
    gray = _reduced(picture)
    height, width = gray.shape
    keypoints, raw = _detector().detectAndCompute(gray, None)
    shape = _thumbnail_shape(width, height)
    thumbnail = _resized(gray, shape[::-1], cv2.INTER_AREA)
    if not keypoints:
        return _from_rows(np.empty(0, _ROW), thumbnail, width, height)
    values = np.array([(*k.pt, k.size, k.angle, k.response) for k in keypoints], np.float32)
    order = _strongest(values)
    positions, sizes, angles = values[order, :2] + 0.5, values[order, 2], values[order, 3]
    rows = np.empty(len(order), _ROW)
    rows["position"] = np.round(np.clip(positions, 0, (width, height)) * _POSITION_STEPS)
    rows["size"] = np.round(np.log2(np.maximum(sizes, 1)) * _SIZE_STEPS)
    rows["angle"] = np.round(angles * _ANGLE_STEPS).astype(np.int64) % 2**16
    rows["descriptor"] = _root(np.asarray(raw, np.float32)[order])
    return _from_rows(rows, thumbnail, width, height)


def _reduced(picture: Bytes) -> Bytes:
    """The picture in grey, its long side PICTURE_SIZE pixels."""
    height, width = picture.shape[:2]
    scale = PICTURE_SIZE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return _resized(gray, size, cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _resized(gray: Bytes, size: tuple[int, int], interpolation: int) -> Bytes:
    return np.asarray(cv2.resize(gray, size, interpolation=interpolation), np.uint8)


@functools.cache
def _detector() -> cv2.SIFT:
    cv2.setNumThreads(1)  # the order of points depends on threads, and Ray gives a task one core
    return cv2.SIFT.create(CANDIDATES, contrastThreshold=CONTRAST, enable_precise_upscale=True)


def _strongest(values: Floats) -> npt.NDArray[np.int64]:
    """The points to keep of `values` [n, 5], which are x, y, size, angle and response: strong ones, spread
    over the picture."""
    x, y, size, angle, response = values.T
    order = np.lexsort((angle, size, y, x, -response))
    cell = PICTURE_SIZE / CELLS
    cells = ((y // cell) * CELLS + x // cell).astype(np.int64)[order]
    rank = np.zeros(len(order), np.int64)
    for value in np.unique(cells):
        rank[cells == value] = np.arange((cells == value).sum())
    spread = response[order] / (1 + rank)
    return order[np.argsort(-spread, kind="stable")][:MAX_POINTS]


def _root(descriptors: Floats) -> Bytes:
    total = np.maximum(descriptors.sum(1, keepdims=True), 1)
    roots = np.round(np.sqrt(descriptors / total) * 512)
    return np.asarray(np.minimum(roots, 255), np.uint8)
