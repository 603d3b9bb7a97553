"""Figures made of pictures: a perturbation's copies, an artwork's neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from simsearch.reports.figures import COPY_COLOUR, INK, OTHER_COLOUR, STYLE, THUMBNAIL, new_figure


@dataclass(frozen=True)
class CaptionedPicture:
    """One picture of a figure with its caption. `copy` says whether it is one of the query's copies."""

    image: Image.Image
    caption: str
    copy: bool = False


def profiles_figure(pictures: Sequence[CaptionedPicture]) -> Figure:
    """An original and its perturbed copies side by side (the study's Fig. 3)."""
    with matplotlib.rc_context(STYLE):
        columns = min(3 if len(pictures) <= 9 else 6, len(pictures))
        rows = -(-len(pictures) // columns)
        figure = new_figure(2.9 * columns, 3.1 * rows)
        for place, picture in enumerate(pictures, start=1):
            _show(figure.add_subplot(rows, columns, place), picture, framed=False)
        figure.tight_layout()
        return figure


def neighbours_figure(rows: Sequence[Sequence[CaptionedPicture]]) -> Figure:
    """A row per query: the original, then its nearest images (the study's Fig. 4).

    Copies of the query are framed green, all else grey.
    """
    with matplotlib.rc_context(STYLE):
        columns = max(len(row) for row in rows)
        figure = new_figure(1.75 * columns, 2.15 * len(rows))
        for number, row in enumerate(rows):
            for place, picture in enumerate(row):
                axes = figure.add_subplot(len(rows), columns, number * columns + place + 1)
                _show(axes, picture, framed=place > 0)
        figure.tight_layout()
        return figure


def _show(axes: Axes, picture: CaptionedPicture, *, framed: bool) -> None:
    image = picture.image.copy()
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    axes.imshow(np.asarray(image), interpolation="lanczos")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(framed)
        spine.set_color(COPY_COLOUR if picture.copy else OTHER_COLOUR)
        spine.set_linewidth(3 if picture.copy else 1.5)
    axes.set_xlabel(picture.caption, fontsize=8, color=INK)


def shorten(text: str, length: int = 26) -> str:
    """Text on one line of at most `length` printable characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= length else line[: length - 1] + "…"
