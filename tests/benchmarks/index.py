"""`index`: our index, Annoy over principal components with the vectors to order what it finds, against
exact search over dimension and size."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.annoy import build_annoy, open_annoy, principal_axes
from simsearch.indexes.candidates import components_for, tune
from simsearch.indexes.exact import Neighbours, exact_search, recall_with_ties
from simsearch.settings.sections.analysis import IndexConfig
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn
from tests.benchmarks.pictures import SEED, feature_like

PLOT = Path(__file__).with_name("index.svg")
SIZES = {512: (2_000, 10_000, 40_000), 2048: (10_000, 40_000), 4096: (10_000, 40_000)}
NEAREST = 11  # ten and the query itself
SINGLE_QUERIES = 50
BATCH_QUERIES = 500
TARGET, TARGET_SIZE = 0.5, 0.15
TARGET_FROM = 10_000  # items


@dataclass(frozen=True)
class Point:
    """One index: milliseconds per query asked singly and in a batch, its own and exact search's."""

    dimension: int
    items: int
    components: int
    build_seconds: float
    factor: int
    search_k: int
    recall: float
    size: float  # of the file as a share of its vectors'
    single: tuple[Sequence[float], Sequence[float]]
    batch: tuple[Sequence[float], Sequence[float]]


def measure(asked: Asked, scratch: Path) -> Result:
    points = [
        alone(measured_point, dimension, items, asked.repeats, scratch)
        for dimension, sizes in SIZES.items()
        for items in sizes
    ]
    plot(points)
    rows = []
    for point in points:
        where = f"{point.dimension} × {point.items:,}"
        large = point.items >= TARGET_FROM
        for kind, (ours, exact) in (("one query", point.single), ("batch", point.batch)):
            name = f"{kind}, {where}; recall {point.recall:.3f}"
            target = f"≤ {TARGET}" if large and kind == "one query" else ""
            rows.append(Comparison(name, "exact search", "ms a query", ours, exact, target))
        name = f"index file, {where}; built in {point.build_seconds:.2g} s"
        whole = 4 * point.dimension * point.items / 2**20
        size = Comparison(
            name, "its vectors", "MiB", [point.size * whole], [whole],
            f"≤ {TARGET_SIZE}" if large else "",
        )  # fmt: skip
        rows.append(size)
    settings = IndexConfig()
    return Result(
        {
            "vectors": "generated, seeded: Gaussian mixture, one centre per 50 items, in 256 directions of "
            "falling variance, plus noise, ReLU'd",
            "index": f"{settings.trees} trees over {', '.join(str(components_for(d)) for d in SIZES)} components, "
            f"candidates and search_k for recall {settings.target_recall} of {NEAREST - 1} nearest others among the index's own",
            "recall": f"of {BATCH_QUERIES} other queries, by distance",
            "batch": f"{BATCH_QUERIES} queries",
        },
        rows,
        [crossovers(points), "![Time per query](index.svg)"],
        {"points": [asdict(point) for point in points]},
    )


def measured_point(dimension: int, items: int, repeats: int, scratch: Path) -> Point:
    units = unit_rows(feature_like(items + BATCH_QUERIES, dimension))
    units, queries = units[:items], units[items:]
    matrix = scratch / f"{dimension}-{items}.npy"
    np.save(matrix, units)
    path = matrix.with_suffix(".ann")
    config = IndexConfig()
    started = time.perf_counter()
    axes = principal_axes(units, components_for(dimension), SEED)
    build_annoy(units @ axes, path, trees=config.trees, seed=SEED)
    build_seconds = time.perf_counter() - started
    mapped = np.asarray(np.load(matrix, mmap_mode="r"))  # as an opened index has it
    annoy = open_annoy(path, axes.shape[1])
    search, _ = tune(
        annoy,
        mapped,
        axes,
        n=NEAREST - 1,
        trees=config.trees,
        target=config.target_recall,
        seed=SEED,
    )

    def approximate(batch: Vectors) -> Neighbours:
        return search(batch, NEAREST)

    def exact(batch: Vectors) -> Neighbours:
        return exact_search(units, batch, NEAREST)

    single = queries[:SINGLE_QUERIES]
    measured = Point(
        dimension,
        items,
        axes.shape[1],
        build_seconds,
        search.factor,
        search.search_k,
        recall_with_ties(approximate(queries), exact(queries), units, queries),
        path.stat().st_size / units.nbytes,
        in_turn(
            lambda: one_by_one(approximate, single), lambda: one_by_one(exact, single), repeats
        ),
        in_turn(lambda: at_once(approximate, queries), lambda: at_once(exact, queries), repeats),
    )
    annoy.unload()
    path.unlink()
    matrix.unlink()
    return measured


def one_by_one(search: Callable[[Vectors], Any], queries: Vectors) -> float:
    """Median milliseconds per query, each asked alone."""
    times = []
    for row in range(len(queries)):
        started = time.perf_counter()
        search(queries[row : row + 1])
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def at_once(search: Callable[[Vectors], Any], queries: Vectors) -> float:
    """Milliseconds per query, all asked together."""
    started = time.perf_counter()
    search(queries)
    return 1000 * (time.perf_counter() - started) / len(queries)


def crossovers(points: Sequence[Point]) -> str:
    notes = []
    for dimension in SIZES:
        line = [point for point in points if point.dimension == dimension]
        sizes = [point.items for point in line]
        for kind in ("single", "batch"):
            ratios = [
                statistics.median(getattr(point, kind)[0])
                / statistics.median(getattr(point, kind)[1])
                for point in line
            ]
            which = "one query" if kind == "single" else "a batch"
            notes.append(f"{which} of {dimension} {crossover(sizes, ratios)}")
    return f"The index is faster than exact search for {'; '.join(notes)}."


def crossover(sizes: Sequence[int], ratios: Sequence[float]) -> str:
    """From which size on Annoy's time over exact search's is below 1, between two measured sizes
    by a straight line in logarithms."""
    if all(ratio < 1 for ratio in ratios):
        return f"at every size measured (from {sizes[0]:,})"
    if ratios[-1] >= 1:
        faster = [f"{size:,}" for size, ratio in zip(sizes, ratios, strict=True) if ratio < 1]
        where = f"{' and '.join(faster)} only" if faster else "no size measured"
        return f"at {where} (to {sizes[-1]:,})"
    after = max(place for place, ratio in enumerate(ratios) if ratio >= 1)
    (low, high), (above, below) = sizes[after : after + 2], ratios[after : after + 2]
    share = math.log(above) / math.log(above / below)
    return f"from about {low * (high / low) ** share:,.0f} items"


def plot(points: Sequence[Point]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "simsearch"  # the same plot is the same file
    figure = Figure(figsize=(10, 4), layout="constrained")
    for panel, (kind, title) in enumerate((("single", "one query"), ("batch", "a batch"))):
        axes = figure.add_subplot(1, 2, panel + 1, title=f"Asked as {title}")
        for place, dimension in enumerate(SIZES):
            line = [point for point in points if point.dimension == dimension]
            for which, style, label in ((1, "--", "exact"), (0, "-", "index")):
                axes.plot(
                    [point.items for point in line],
                    [statistics.median(getattr(point, kind)[which]) for point in line],
                    style, color=f"C{place}", marker=".", label=f"{dimension}: {label}",
                )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel="items", ylabel="milliseconds a query")
        sizes = sorted({point.items for point in points})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
    figure.axes[1].legend(
        fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5), handlelength=5
    )
    figure.savefig(PLOT, metadata={"Date": None})
