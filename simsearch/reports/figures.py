"""The figures: the study's (profiles on one artwork, examples, recovery against k) and the
evaluation's (recall curve, profiles, quality against cost)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from simsearch.reports.conclusion import Candidate
from simsearch.reports.tables import curve

# Okabe and Ito's palette, distinguishable with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

COPY_COLOUR, OTHER_COLOUR, INK, FAINT = "#009E73", "#c9c9c9", "#222222", "#767676"

THUMBNAIL = 220  # pixels

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,  # titles are foreign text, and may contain a $
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "simsearch",
    "figure.facecolor": "white",
}


def save(figure: Figure) -> dict[str, bytes]:
    """The figure as {"png": …, "svg": …}. The same figure gives the same bytes."""
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


def curves_figure(metrics: pa.Table, untrained: frozenset[str]) -> Figure:
    """Precision, recall and F1 against k by exact search, with spread and ceiling (Fig. 5).

    The band is one standard deviation over originals to each side, cut at 0 and 1.
    """
    with matplotlib.rc_context(STYLE):
        figure = new_figure(11, 4)
        names = list(dict.fromkeys(metrics["space"].to_pylist()))
        for place, metric in enumerate(("precision", "recall", "f1"), start=1):
            axes = figure.add_subplot(1, 3, place)
            for name, colour in zip(names, _colours(len(names)), strict=True):
                rows = _select(metrics, name, metric)
                label = _label(name, untrained)
                _curve(axes, rows, colour, label, first=name == names[0])
            axes.set_title("F1" if metric == "f1" else metric.capitalize(), color=INK)
            axes.set_xlabel("k nearest neighbours")
            axes.set_ylim(0, 1.04)
            axes.set_xticks(_select(metrics, names[0], metric)["k"].to_pylist())
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=min(4, len(labels)), frameon=False)
        figure.tight_layout(rect=(0, 0.04 + 0.06 * -(-len(labels) // 4), 1, 1))
        return figure


def profile_figure(metrics: pa.Table, untrained: frozenset[str]) -> Figure:
    """How well every space finds each profile's copies, by exact search: the share among the largest k, or
    their mean average precision if k has no room for all copies."""
    with matplotlib.rc_context(STYLE):
        recovered = metrics.filter(pc.field("metric") == "recovered")
        largest = pc.max(recovered["k"]).as_py()
        chosen = recovered.filter(pc.field("k") == largest)
        title = f"Copies recovered among the {largest} nearest"
        single = metrics.filter(
            (pc.field("metric") == "map") & pc.field("scope").isin(pc.unique(recovered["scope"]))
        )
        if single.num_rows and pc.min(chosen["ceiling"]).as_py() < 1:
            chosen, title = single, "Mean average precision of each profile's copies"
        rows = chosen.filter(pc.field("search") == "exact").to_pylist()
        names = list(dict.fromkeys(row["space"] for row in rows))
        groups = list(dict.fromkeys(row["scope"] for row in rows))
        means = {(row["scope"], row["space"]): row["mean"] for row in rows}
        grid = np.array([[means[group, name] for name in names] for group in groups])
        figure = new_figure(2.2 + 1.8 * len(names), 1.3 + 0.34 * len(groups))
        axes = figure.add_subplot()
        axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for (row, column), share in np.ndenumerate(grid):
            colour = "white" if share < 0.6 else "black"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour)
        axes.set_yticks(range(len(groups)), groups)
        axes.set_xticks(range(len(names)), [_label(name, untrained) for name in names])
        axes.tick_params(length=0)
        axes.set_title(title, color=INK, fontsize=11)
        figure.tight_layout()
        return figure


def recall_figure(metrics: pa.Table, untrained: frozenset[str]) -> Figure:
    """Recall of all copies against k by exact search, with 95 % intervals."""
    with matplotlib.rc_context(STYLE):
        figure = new_figure(7.5, 4.4)
        axes = figure.add_subplot()
        names = list(dict.fromkeys(metrics["space"].to_pylist()))
        ks: list[int] = []
        for name, colour in zip(names, _colours(len(names)), strict=True):
            rows = curve(metrics, name)
            ks = [row["k"] for row in rows]
            low, high = ([row[end] for row in rows] for end in ("ci_low", "ci_high"))
            axes.fill_between(ks, low, high, color=colour, alpha=0.15, lw=0)
            label = _label(name, untrained)
            axes.plot(ks, [row["mean"] for row in rows], color=colour, label=label)
        ceiling = [row["ceiling"] for row in curve(metrics, names[0])]
        axes.plot(ks, ceiling, color=FAINT, ls="--", lw=1, label="ceiling")
        axes.set_xscale("log")
        axes.set_xticks(ks, [str(k) for k in ks])
        axes.minorticks_off()
        axes.set_ylim(0, 1.04)
        axes.set_xlabel("k nearest neighbours")
        axes.set_ylabel("recall of all copies")
        axes.legend(frameon=False, loc="lower right")
        figure.tight_layout()
        return figure


def cost_figure(ranked: Sequence[Candidate]) -> Figure:
    """Quality against cost: mean average precision with its interval over images per second.

    Areas are proportional to the bytes of a vector. Hollow marks are untrained or in the study's mode.
    """
    with matplotlib.rc_context(STYLE):
        figure = new_figure(7.5, 4.4)
        axes = figure.add_subplot()
        for candidate, colour in zip(ranked, _colours(len(ranked)), strict=True):
            rate = candidate.images_per_second
            if rate is None:
                continue
            axes.vlines(rate, candidate.low, candidate.high, color=colour, lw=1.5)
            sound = candidate.space.trained and candidate.space.mode == "eval"
            untrained = "" if candidate.space.trained else " (untrained)"
            axes.scatter(
                rate,
                candidate.quality,
                s=candidate.bytes_per_image / 40,
                facecolor=colour if sound else "white",
                edgecolor=colour,
                label=f"{candidate.space.name}{untrained}\n{candidate.bytes_per_image:,} bytes",
                zorder=3,
            )
        axes.set_xscale("log")
        # Matplotlib's own labels of a logarithmic axis are formulas, which are switched off here.
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.minorticks_off()
        axes.margins(0.2)
        axes.set_xlabel("images embedded per second by one actor")
        axes.set_ylabel("mean average precision")
        legend = axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
        for mark in legend.findobj(PathCollection):
            mark.set_sizes([60])
        figure.tight_layout()
        return figure


def settings_figure(
    results: pa.Table,
    settings: Mapping[str, str],
    untrained: frozenset[str],
    published: Mapping[tuple[str, int, str], tuple[float | None, float | None]],
) -> Figure:
    """F1 at each k per space and setting of an experiment, with 95 % intervals (exact search)."""
    with matplotlib.rc_context(STYLE):
        chosen = results.filter(
            (pc.field("metric") == "f1")
            & (pc.field("scope") == "all")
            & (pc.field("search") == "exact")
        ).to_pylist()
        names = list(dict.fromkeys(row["space"] for row in chosen))
        ks = sorted({row["k"] for row in chosen})
        figure = new_figure(3.6 * len(ks) + 1, 4.2)
        for place, k in enumerate(ks, start=1):
            axes = figure.add_subplot(1, len(ks), place)
            for number, (setting, words) in enumerate(settings.items()):
                rows = [row for row in chosen if row["k"] == k and row["setting"] == setting]
                across = [names.index(row["space"]) + 0.16 * (number - 1.5) for row in rows]
                ends = ([row["ci_low"] for row in rows], [row["ci_high"] for row in rows])
                axes.vlines(across, *ends, color=COLOURS[number], lw=1.5)
                means = [row["mean"] for row in rows]
                axes.scatter(across, means, color=COLOURS[number], s=26, label=words, zorder=3)
            for number, name in enumerate(names):
                if (mean := published.get((name, k, "f1"), (None, None))[0]) is not None:
                    axes.scatter(number, mean, color="black", marker="D", s=30, zorder=4)
            axes.set_xticks(range(len(names)), [_label(name, untrained) for name in names])
            axes.tick_params(axis="x", rotation=25)
            axes.set_title(f"F1 at k = {k}", color=INK)
            axes.set_ylim(0, 1.04)
            axes.margins(x=0.15)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=2, frameon=False)
        figure.tight_layout(rect=(0, 0.13, 1, 1))
        return figure


def _label(name: str, untrained: frozenset[str]) -> str:
    return f"{name} (untrained)" if name in untrained else name


def new_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _colours(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _select(metrics: pa.Table, space: str, metric: str) -> pa.Table:
    return metrics.filter(
        (pc.field("space") == space)
        & (pc.field("metric") == metric)
        & (pc.field("scope") == "all")
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
