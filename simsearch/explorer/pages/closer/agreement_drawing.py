"""What two pictures have in common, drawn over both as SVG: matched points, and the outlines of the region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from simsearch.explorer.pages.closer.matches_drawing import COLOURS
from simsearch.explorer.pages.closer.two_frames import Frame, TwoFrames

if TYPE_CHECKING:
    from simsearch.geometry.agreement import Agreement

RADIUS = 4.0  # of a point

Place = tuple[float, float]
Places = Sequence[Place]


def drawings_of(agreement: Agreement, hrefs: Sequence[str], titles: Sequence[str]) -> list[Markup]:
    """The drawing side by side, and the one above the other, of the pictures at two addresses."""
    return [_drawing(agreement, hrefs, titles, beside=beside) for beside in (True, False)]


def _drawing(
    agreement: Agreement, hrefs: Sequence[str], titles: Sequence[str], *, beside: bool
) -> Markup:
    sizes = (agreement.size_a, agreement.size_b)
    frames = TwoFrames.of(list(zip(hrefs, titles, sizes, strict=True)), beside=beside)
    both = (frames.first, frames.second)
    outlines = [
        _outline(_on(frame, outline.tolist(), size))
        for frame, outline, size in zip(
            both, (agreement.outline_a, agreement.outline_b), sizes, strict=True
        )
    ]
    starts, ends = (
        _on(frame, places.tolist(), size)
        for frame, places, size in zip(
            both, (agreement.places_a, agreement.places_b), sizes, strict=True
        )
    )
    # Points of a colour lie in the same columns of the first picture.
    colours = (agreement.places_a[:, 0] * COLOURS / agreement.size_a[0]).astype(int)
    points = [
        _point(number, min(COLOURS - 1, colour), start, end)
        for number, (colour, start, end) in enumerate(
            zip(colours.tolist(), starts, ends, strict=True)
        )
    ]
    described = (
        f"{titles[0]} and {titles[1]}, with {agreement.inliers} points that agree, and the outline of what "
        "both show"
    )
    return frames.drawing(described, [*outlines, *points])


def _on(frame: Frame, places: Places, size: tuple[int, int]) -> Places:
    return [frame.at(x / size[0], y / size[1]) for x, y in places]


def _outline(corners: Places) -> Markup:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return Markup(
        '<polygon class="outline under" points="{0}"/><polygon class="outline" points="{0}"/>'
    ).format(text)


def _point(number: int, colour: int, start: Place, end: Place) -> Markup:
    """A point in both pictures; a style shows the line between them under the pointer."""
    return Markup(
        '<g class="match point series-{}" data-match="{}">'
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="{}"/></g>'
    ).format(colour, number, *start, *end, *start, RADIUS, *end, RADIUS)
