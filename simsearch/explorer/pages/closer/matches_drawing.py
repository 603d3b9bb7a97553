"""Matching parts drawn over two pictures, as SVG: numbered patches, connected by lines.

The page has two drawings, side by side and one above the other. A style shows the one that fits. No style
is inline, as the Content-Security-Policy demands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from simsearch.reading.feature_maps import SeenPicture
from simsearch.reading.matches import Cell, PartMatch

SIDE = 400.0  # each picture is fitted into a square of this side
GAP = 90.0
MARK = 12.0  # radius of a number
COLOURS = 8  # so many colours are styled in explorer.css; further matches repeat them

Picture = tuple[str, str, SeenPicture]
Patch = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True)
class _Placed:
    """A picture in the drawing's units."""

    href: str
    title: str
    seen: SeenPicture
    left: float
    top: float
    width: float
    height: float

    def patch(self, cell: Cell) -> Patch:
        """The left, top, width and height of a cell, cut to the picture."""
        rows, columns = self.seen.map.shape[:2]
        left, top, right, bottom = self.seen.window
        row, column = cell
        wide, high = (right - left) / columns, (bottom - top) / rows
        x0, x1 = _on(left + column * wide), _on(left + (column + 1) * wide)
        y0, y1 = _on(top + row * high), _on(top + (row + 1) * high)
        return (
            self.left + x0 * self.width,
            self.top + y0 * self.height,
            (x1 - x0) * self.width,
            (y1 - y0) * self.height,
        )


def drawing(pictures: Sequence[Picture], matches: Sequence[PartMatch], *, beside: bool) -> Markup:
    """Two pictures, each (address, title, seen picture), and their matches, numbered from 1."""
    first, second = (
        _place(picture, number, beside=beside) for number, picture in enumerate(pictures)
    )
    wide = 2 * SIDE + GAP if beside else SIDE
    high = SIDE if beside else first.height + GAP / 2 + second.height
    if not beside:
        second = _move(second, first.height + GAP / 2)
    ends = [(first.patch(match.first), second.patch(match.second)) for match in matches]
    parts = [_picture(first), _picture(second)]
    # Lines lie below all patches. The worst match is drawn first, so that the best lies on top.
    for draw in (_line, _ends):
        for number in range(len(matches), 0, -1):
            parts.append(_match(number, matches[number - 1], draw(number, *ends[number - 1])))
    return Markup(
        '<svg class="parts {}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>'
    ).format(
        "beside" if beside else "stacked", wide, high,
        f"{first.title} and {second.title} with {len(matches)} parts that match, numbered; the list "
        "below has their scores",
        Markup("").join(parts),
    )  # fmt: skip


def _place(picture: Picture, number: int, *, beside: bool) -> _Placed:
    href, title, seen = picture
    scale = SIDE / max(seen.size)
    width, height = seen.size[0] * scale, seen.size[1] * scale
    if not beside:
        return _Placed(href, title, seen, (SIDE - width) / 2, 0, width, height)
    left = SIDE - width if number == 0 else SIDE + GAP
    return _Placed(href, title, seen, left, (SIDE - height) / 2, width, height)


def _move(placed: _Placed, down: float) -> _Placed:
    return _Placed(
        placed.href, placed.title, placed.seen, placed.left, placed.top + down, placed.width,
        placed.height,
    )  # fmt: skip


def _on(share: float) -> float:
    return min(1.0, max(0.0, share))


def _picture(placed: _Placed) -> Markup:
    left, top, right, bottom = (_on(share) for share in placed.seen.window)
    return Markup(
        '<image href="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" '
        'preserveAspectRatio="none"/>'
        '<rect class="window" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
    ).format(
        placed.href, placed.left, placed.top, placed.width, placed.height,
        placed.left + left * placed.width, placed.top + top * placed.height,
        (right - left) * placed.width, (bottom - top) * placed.height,
    )  # fmt: skip


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
