"""Two pictures in one drawing, as SVG: side by side, or one above the other.

A page has both drawings. A style shows the one that fits. No style is inline, as the Content-Security-Policy
demands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

SIDE = 400.0  # each picture is fitted into a square of this side
GAP = 90.0

Picture = tuple[str, str, tuple[int, int]]


@dataclass(frozen=True)
class Frame:
    """A picture in the drawing's units."""

    href: str
    title: str
    left: float
    top: float
    width: float
    height: float

    def at(self, across: float, down: float) -> tuple[float, float]:
        """A place of the picture that is given by shares of its sides."""
        return self.left + across * self.width, self.top + down * self.height

    def drawn(self) -> Markup:
        return Markup(
            '<image href="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" '
            'preserveAspectRatio="none"/>'
        ).format(self.href, self.left, self.top, self.width, self.height)


@dataclass(frozen=True)
class TwoFrames:
    first: Frame
    second: Frame
    beside: bool

    @classmethod
    def of(cls, pictures: Sequence[Picture], *, beside: bool) -> TwoFrames:
        """Two pictures, each (address, title, (width, height) in any unit)."""
        first, second = (
            _framed(picture, number, beside=beside) for number, picture in enumerate(pictures)
        )
        if not beside:
            second = replace(second, top=first.height + GAP / 2)
        return cls(first, second, beside)

    def drawing(self, described: str, inner: Sequence[Markup]) -> Markup:
        """The pictures with `inner` drawn over them."""
        wide = 2 * SIDE + GAP if self.beside else SIDE
        high = SIDE if self.beside else self.second.top + self.second.height
        parts = [self.first.drawn(), self.second.drawn(), *inner]
        return Markup(
            '<svg class="parts {}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>'
        ).format(
            "beside" if self.beside else "stacked", wide, high, described, Markup("").join(parts)
        )


def _framed(picture: Picture, number: int, *, beside: bool) -> Frame:
    href, title, size = picture
    scale = SIDE / max(size)
    width, height = size[0] * scale, size[1] * scale
    if not beside:
        return Frame(href, title, (SIDE - width) / 2, 0, width, height)
    left = SIDE - width if number == 0 else SIDE + GAP
    return Frame(href, title, left, (SIDE - height) / 2, width, height)
