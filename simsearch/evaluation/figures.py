"""The study's figures: the profiles on one artwork, recovery examples, recovery against k."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette, told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COPY_COLOUR, OTHER_COLOUR, INK, FAINT = "#009E73", "#c9c9c9", "#222222", "#767676"
THUMBNAIL = 220  # pixels

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,  # titles are foreign text, and may hold a $
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "simsearch",
    "figure.facecolor": "white",
}


@dataclass(frozen=True)
class Shown:
    """One picture of a figure with its words; `copy` says whether it is one of the query's copies."""

    image: Image.Image
    caption: str
    copy: bool = False


def save(figure: Figure) -> dict[str, bytes]:
    """The figure as {"png": …, "svg": …}; the same figure gives the same bytes."""
    files = {}
    with matplotlib.rc_context(STYLE):
        for kind, metadata in (
            ("png", {"Software": None}),
            ("svg", {"Date": None, "Creator": None}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=110, metadata=metadata, bbox_inches="tight")
            files[kind] = buffer.getvalue()
    return files


def profiles_figure(pictures: Sequence[Shown]) -> Figure:
    """An original and its perturbed copies side by side (the study's Fig. 3)."""
    with matplotlib.rc_context(STYLE):
        columns = min(3, len(pictures))
        rows = -(-len(pictures) // columns)
        figure = _figure(2.9 * columns, 3.1 * rows)
        for place, picture in enumerate(pictures, start=1):
            _show(figure.add_subplot(rows, columns, place), picture, framed=False)
        figure.tight_layout()
        return figure


def examples_figure(rows: Sequence[Sequence[Shown]]) -> Figure:
    """A row per query: the original, then its nearest images (the study's Fig. 4).

    Copies of the query are framed green, all else grey.
    """
    with matplotlib.rc_context(STYLE):
        columns = max(len(row) for row in rows)
        figure = _figure(1.75 * columns, 2.15 * len(rows))
        for number, row in enumerate(rows):
            for place, picture in enumerate(row):
                axes = figure.add_subplot(len(rows), columns, number * columns + place + 1)
                _show(axes, picture, framed=place > 0)
        figure.tight_layout()
        return figure


def curves_figure(metrics: pa.Table, untrained: frozenset[str]) -> Figure:
    """Precision, recall and F1 against k by exact search, with spread and ceiling (Fig. 5).

    The band is one standard deviation over originals to each side, cut at 0 and 1.
    """
    with matplotlib.rc_context(STYLE):
        figure = _figure(11, 4)
        names = list(dict.fromkeys(metrics["backbone"].to_pylist()))
        for place, metric in enumerate(("precision", "recall", "f1"), start=1):
            axes = figure.add_subplot(1, 3, place)
            for name, colour in zip(names, _colours(len(names)), strict=True):
                label = f"{name} (untrained)" if name in untrained else name
                _curve(axes, _select(metrics, name, metric), colour, label, first=name == names[0])
            axes.set_title("F1" if metric == "f1" else metric.capitalize(), color=INK)
            axes.set_xlabel("k nearest neighbours")
            axes.set_ylim(0, 1.04)
            axes.set_xticks(_select(metrics, names[0], metric)["k"].to_pylist())
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=min(4, len(labels)), frameon=False)
        figure.tight_layout(rect=(0, 0.04 + 0.06 * -(-len(labels) // 4), 1, 1))
        return figure


def profile_figure(metrics: pa.Table, untrained: frozenset[str]) -> Figure:
    """Which share of each profile's copies every backbone recovers at the largest k (exact search)."""
    with matplotlib.rc_context(STYLE):
        recovered = metrics.filter(pc.field("metric") == "recovered")
        largest = pc.max(recovered["k"]).as_py()
        chosen = recovered.filter(
            (pc.field("search") == "exact") & (pc.field("k") == largest)
        ).to_pylist()
        names = list(dict.fromkeys(row["backbone"] for row in chosen))
        groups = list(dict.fromkeys(row["group"] for row in chosen))
        shares = {(row["backbone"], row["group"]): row["mean"] for row in chosen}
        grid = np.array([[shares[name, group] for group in groups] for name in names])
        figure = _figure(1.6 + 1.35 * len(groups), 1.4 + 0.55 * len(names))
        axes = figure.add_subplot()
        axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for (row, column), share in np.ndenumerate(grid):
            colour = "white" if share < 0.6 else "black"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(groups)), groups)
        axes.set_yticks(
            range(len(names)), [f"{n} (untrained)" if n in untrained else n for n in names]
        )
        axes.tick_params(length=0)
        axes.set_title(f"Copies recovered among the {largest} nearest", color=INK, fontsize=11)
        figure.tight_layout()
        return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _colours(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _select(metrics: pa.Table, backbone: str, metric: str) -> pa.Table:
    return metrics.filter(
        (pc.field("backbone") == backbone)
        & (pc.field("metric") == metric)
        & (pc.field("group") == "all")
        & (pc.field("search") == "exact")
    ).sort_by("k")


def _curve(axes: Axes, rows: pa.Table, colour: str, label: str, *, first: bool) -> None:
    k, mean, std = (rows[name].to_numpy() for name in ("k", "mean", "std"))
    axes.fill_between(
        k, np.clip(mean - std, 0, 1), np.clip(mean + std, 0, 1), color=colour, alpha=0.1, lw=0
    )
    axes.plot(k, mean, color=colour, marker="o", markersize=4, label=label)
    if first:
        axes.plot(k, rows["ceiling"].to_numpy(), color=FAINT, ls="--", lw=1, label="ceiling")


def _show(axes: Axes, picture: Shown, *, framed: bool) -> None:
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


def shortened(text: str, length: int = 26) -> str:
    """Text on one line of at most `length` printable characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= length else line[: length - 1] + "…"
