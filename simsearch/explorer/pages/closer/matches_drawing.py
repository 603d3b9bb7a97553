"""Matching parts drawn over two pictures, as SVG: numbered patches, connected by lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from simsearch.explorer.pages.closer.two_frames import Frame, TwoFrames
from simsearch.reading.feature_maps import SeenPicture
from simsearch.reading.matches import Cell, PartMatch

MARK = 12.0  # radius of a number
COLOURS = 8  # so many colours are styled in closer.css; further matches repeat them

Picture = tuple[str, str, SeenPicture]
Patch = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True)
class _Placed:
    """A picture in the drawing's units."""

    frame: Frame
    seen: SeenPicture

    def patch(self, cell: Cell) -> Patch:
        """The left, top, width and height of a cell, cut to the picture."""
        rows, columns = self.seen.map.shape[:2]
        left, top, right, bottom = self.seen.window
        row, column = cell
        wide, high = (right - left) / columns, (bottom - top) / rows
        x0, y0 = self.frame.at(_on(left + column * wide), _on(top + row * high))
        x1, y1 = self.frame.at(_on(left + (column + 1) * wide), _on(top + (row + 1) * high))
        return x0, y0, x1 - x0, y1 - y0

    def window(self) -> Markup:
        """The frame of what the network sees."""
        left, top, right, bottom = (_on(share) for share in self.seen.window)
        (x0, y0), (x1, y1) = self.frame.at(left, top), self.frame.at(right, bottom)
        return Markup(
            '<rect class="window" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        ).format(x0, y0, x1 - x0, y1 - y0)


def drawing(pictures: Sequence[Picture], matches: Sequence[PartMatch], *, beside: bool) -> Markup:
    """Two pictures, each (address, title, seen picture), and their matches, numbered from 1."""
    sizes = [(href, title, seen.size) for href, title, seen in pictures]
    frames = TwoFrames.of(sizes, beside=beside)
    first, second = (
        _Placed(frame, seen)
        for frame, (_, _, seen) in zip((frames.first, frames.second), pictures, strict=True)
    )
    ends = [(first.patch(match.first), second.patch(match.second)) for match in matches]
    parts = [first.window(), second.window()]
    # Lines lie below all patches. The worst match is drawn first, so that the best lies on top.
    for draw in (_line, _ends):
        for number in range(len(matches), 0, -1):
            parts.append(_match(number, matches[number - 1], draw(number, *ends[number - 1])))
    described = (
        f"{frames.first.title} and {frames.second.title} with {len(matches)} parts that match, numbered; "
        "the list below has their scores"
    )
    return frames.drawing(described, parts)


def _on(share: float) -> float:
    return min(1.0, max(0.0, share))


def _match(number: int, match: PartMatch, inner: Markup) -> Markup:
    return Markup('<g class="match series-{}" data-match="{}"><title>{}</title>{}</g>').format(
        (number - 1) % COLOURS, number, f"{number}: {match.score:.2f} alike", inner
    )


def _line(number: int, first: Patch, second: Patch) -> Markup:  # noqa: ARG001
    ends = (*_middle(first), *_middle(second))
    return Markup(
        '<line class="under" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    ).format(*ends, *ends)


def _ends(number: int, first: Patch, second: Patch) -> Markup:
    return Markup("").join(_end(number, patch) for patch in (first, second))


def _end(number: int, patch: Patch) -> Markup:
    x, y = _middle(patch)
    return Markup(
        '<rect class="under" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}"/>'
        '<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>'
    ).format(*patch, *patch, x, y, MARK, x, y + 5, number)


def _middle(patch: Patch) -> tuple[float, float]:
    x, y, width, height = patch
    return x + width / 2, y + height / 2
