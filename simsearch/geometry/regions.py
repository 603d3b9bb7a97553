"""Regions of pictures as convex polygons, and the region in which two thumbnails agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from simsearch.geometry.estimation import Complexes, Flags, inverted, moved
from simsearch.geometry.frames import is_frame
from simsearch.geometry.points import REDUCTION, Bytes, Floats, Points

Transform = npt.NDArray[np.float64]
Rectangle = tuple[float, float, float, float]  # left, top, width, height in pixels

# Thumbnail pixels: standard deviation of the window in which two thumbnails are correlated.
WINDOW = 2.0
# Grey values: contrast below is noise of a scan or of its compression.
NOISE = 4.0
# Pixels that a box is wider than what it shows, on each side.
AROUND = 4.0
# Correlation from which two windows show the same.
ALIKE = 0.5


@dataclass(frozen=True)
class Region:
    """A common region: its convex outline in both pictures, float32 [m, 2] in pixels, the correlation of
    the thumbnails within, and the region's share of what lies in both pictures, by contrast. `framed`: the
    pictures agree in a frame alone (`frames.is_frame`)."""

    outline_a: Floats
    outline_b: Floats
    likeness: float
    coverage: float
    framed: bool

    def swapped(self) -> Region:
        return replace(self, outline_a=self.outline_b, outline_b=self.outline_a)


def common_region(
    a: Points, b: Points, transform: Transform, zoom: float, inliers: Complexes
) -> Region | None:
    """The region around `inliers`, places in a, in which both pictures agree when `transform` lays a on b;
    None where there is no such region."""
    if zoom < 1:  # thumbnails are compared where the region is smaller
        ends = moved(transform, inliers)
        region = common_region(b, a, inverted(transform), 1 / zoom, ends)
        return region and region.swapped()
    correlation, weight, texture = _correlations(a.thumbnail, b.thumbnail, transform, zoom)
    agreeing = _smooth(weight * (correlation > ALIKE), 1) > 0.5 * _smooth(weight, 1)
    agreeing &= weight > 0
    mask = _around(agreeing, inliers / REDUCTION)
    if mask is None:
        return None
    outline = _intersection(_hull(mask) * REDUCTION, overlap(a, b, transform))
    if outline is None:
        return None
    likeness = float((correlation * weight)[mask].sum() / weight[mask].sum())
    coverage = float(weight[mask].sum() / weight.sum())
    known = np.asarray(a.positions / REDUCTION, np.float32)
    places = _corners(inliers / REDUCTION)
    framed = is_frame(weight > 0, correlation > ALIKE, texture, known, places)
    ends = moved(transform, _places(outline))
    return Region(outline, _corners(ends), likeness, coverage, framed)


def overlap(a: Points, b: Points, transform: Transform) -> Floats:
    """The part [m, 2] of a, in pixels, that lies in b: a convex polygon."""
    shown = moved(inverted(transform), _places(frame(b)))
    common = _intersection(frame(a), _corners(shown))
    return np.zeros((0, 2), np.float32) if common is None else common


def _correlations(
    a: Bytes, b: Bytes, transform: Transform, zoom: float
) -> tuple[Floats, Floats, Floats]:
    """The correlation of a with b where a lies, window by window, and two weights, which are 0 outside of
    b: by the larger of both contrasts, and by the lesser."""
    # Thumbnail pixel (column, row) has its middle half a pixel further.
    scaled = np.array([[REDUCTION, 0, REDUCTION / 2], [0, REDUCTION, REDUCTION / 2], [0, 0, 1]])
    between = np.linalg.inv(scaled) @ transform @ scaled
    fine = b.astype(np.float32)
    if zoom > 1:
        fine = _smooth(fine, 0.5 * float(np.sqrt(zoom**2 - 1)) + 1e-3, cv2.BORDER_REPLICATE)
    size, flags = (a.shape[1], a.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = np.asarray(cv2.warpPerspective(fine, between, size, flags=flags), np.float32)
    known = np.asarray(cv2.warpPerspective(np.ones_like(fine), between, size, flags=flags)) > 0.99
    mask = known.astype(np.float32)
    total = np.maximum(_smooth(mask), 1e-3)
    first = a.astype(np.float32)
    mean_a, mean_b = _smooth(first * mask) / total, _smooth(laid * mask) / total
    square_a = _smooth(first**2 * mask) / total - mean_a**2
    square_b = _smooth(laid**2 * mask) / total - mean_b**2
    product = _smooth(first * laid * mask) / total - mean_a * mean_b
    contrast_a, contrast_b = (np.sqrt(np.maximum(square, 0)) for square in (square_a, square_b))
    correlation = np.asarray(product / (contrast_a * contrast_b + NOISE**2), np.float32)
    larger, lesser = (
        np.asarray(mask * (contrast / (contrast + NOISE)), np.float32)
        for contrast in (np.maximum(contrast_a, contrast_b), np.minimum(contrast_a, contrast_b))
    )
    return correlation, larger, lesser


def _smooth(values: Floats, width: float = WINDOW, border: int = cv2.BORDER_CONSTANT) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), width, borderType=border), np.float32)


def _around(agreeing: Flags, places: Complexes) -> Flags | None:
    """The connected parts of a mask that hold one of ten of the places, or more."""
    count, image = cv2.connectedComponents(agreeing.astype(np.uint8), connectivity=4)
    labels = np.asarray(image, np.int64)
    columns = np.clip(places.real.astype(np.int64), 0, agreeing.shape[1] - 1)
    rows = np.clip(places.imag.astype(np.int64), 0, agreeing.shape[0] - 1)
    votes = np.bincount(labels[rows, columns], minlength=count)
    votes[0] = 0
    kept = np.nonzero(votes * 10 >= len(places))[0]
    return np.isin(labels, kept) if len(kept) else None


def _hull(mask: Flags) -> Floats:
    """The convex hull [m, 2] of the pixels of a mask."""
    rows = np.nonzero(mask.any(1))[0]
    left, right = mask.argmax(1)[rows], mask.shape[1] - mask[:, ::-1].argmax(1)[rows]
    corners = [np.column_stack([x, y]) for x in (left, right) for y in (rows, rows + 1)]
    hull = cv2.convexHull(np.concatenate(corners).astype(np.float32))
    return np.asarray(hull, np.float32)[:, 0]


def frame(points: Points) -> Floats:
    """The corners of the picture, [4, 2]."""
    width, height = points.width, points.height
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def box_around(places: Floats, size: tuple[int, int]) -> Rectangle:
    """The upright box around places [n, 2] that lies within a picture of a size, a few pixels wider."""
    within = np.array(size, np.float32)
    upper = np.clip(places.min(0) - AROUND, 0, within)
    lower = np.clip(places.max(0) + AROUND, 0, within)
    left, top, width, height = np.concatenate([upper, lower - upper]).astype(float).tolist()
    return left, top, width, height


def share_of(outline: Floats, points: Points) -> float:
    """The share of the picture's area within a region."""
    area = cv2.contourArea(outline) if len(outline) else 0.0
    return min(1.0, float(area) / (points.width * points.height))


def inside(positions: Floats, outline: Floats) -> Flags:
    """Which positions [n, 2] lie in a convex region or on its edge."""
    step = np.roll(outline, -1, 0) - outline
    offset = positions[:, None] - outline
    side = step[:, 0] * offset[..., 1] - step[:, 1] * offset[..., 0]
    return np.asarray((side >= 0).all(1) | (side <= 0).all(1), bool)


def _places(corners: Floats) -> Complexes:
    return corners[:, 0].astype(np.float64) + 1j * corners[:, 1]


def _corners(places: Complexes) -> Floats:
    return np.column_stack([places.real, places.imag]).astype(np.float32)


def _intersection(first: Floats, second: Floats) -> Floats | None:
    if min(len(first), len(second)) < 3:
        return None
    area, region = cv2.intersectConvexConvex(first, second)
    return np.asarray(region, np.float32)[:, 0] if area > 0 else None
