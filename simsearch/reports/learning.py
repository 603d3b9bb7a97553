"""The report's section on learned spaces: the artworks that they learned from, their cost, and how well they
recognise changes that they never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import safetensors.numpy
from matplotlib.figure import Figure

from simsearch.encoders.trained import (
    EXAMPLES,
    Training,
    count_seen,
    measured_of,
    trainings_of,
)
from simsearch.images.suites import STUDY_PROFILES, operation_of
from simsearch.reading.training_log import EXAMPLE_ROWS, training_row
from simsearch.reports.figures import COLOURS, STYLE
from simsearch.snapshots.snapshot import Snapshot


def learning_of(
    snapshot: Snapshot, metrics: pa.Table
) -> tuple[dict[str, Any], dict[str, tuple[Figure, str]]]:
    """The section on learned spaces, with the warnings that a reader needs, and its figures by name with
    their captions. All are empty if no space is learned."""
    plan = snapshot.plan()
    trainings = trainings_of(snapshot.storage, plan.spaces)
    measured = measured_of(snapshot.images())
    rows: list[dict[str, Any]] = []
    drawn: dict[str, tuple[Figure, str]] = {}
    warnings = []
    for space, of_space in trainings.items():
        for training in of_space:
            seen = count_seen(snapshot.storage, training, measured)
            rows.append(training_row(space, training, seen))
            if seen:
                warnings.append(
                    f"{space} learned from {seen:,} of the artworks that are measured here: its figures "
                    "flatter it. Run `simsearch train` and measure again."
                )
            drawn |= _figures(snapshot, training)
    profiles = {
        profile
        for of_space in trainings.values()
        for training in of_space
        for profile in training.profiles
    }
    split = split_rows(metrics, profiles) if rows else []
    return {"rows": rows, "split": split, "warnings": warnings}, drawn


def split_rows(metrics: pa.Table, learned: set[str]) -> list[dict[str, Any]]:
    """The mean average precision of each space, averaged over profiles, for changes that a training saw (at
    any strength) and for changes that none saw."""
    operations = {operation_of(profile) for profile in learned}
    known: dict[str, dict[bool, list[float]]] = {}
    for row in metrics.filter(
        (pc.field("search") == "exact") & (pc.field("metric") == "map")
    ).to_pylist():
        if row["scope"] == operation_of(row["scope"]) and row["scope"] not in STUDY_PROFILES:
            continue  # not a profile: all copies, or a kind of change
        seen = operation_of(row["scope"]) in operations
        known.setdefault(row["space"], {}).setdefault(seen, []).append(row["mean"])
    return [
        {
            "space": space,
            **{
                word: f"{np.mean(means[seen]):.3f} ({len(means[seen])})" if seen in means else "–"
                for word, seen in (("seen", True), ("unseen", False))
            },
        }
        for space, means in known.items()
    ]


def _figures(snapshot: Snapshot, training: Training) -> dict[str, tuple[Figure, str]]:
    drawn = {}
    name = training.folder.rpartition("/")[2]
    if training.losses:
        drawn[f"losses-{name}"] = (
            losses_figure(training.losses),
            f"{training.name}: mean loss of every epoch.",
        )
    path = f"{training.folder}/{EXAMPLES}"
    if snapshot.storage.exists(path):
        pictures = safetensors.numpy.load(snapshot.storage.read_bytes(path))
        drawn[f"examples-{name}"] = (
            examples_figure(pictures),
            f"{training.name}: artworks that it did not learn from, what it makes of them, copies of "
            "them, and what it makes of those.",
        )
        if "between" in pictures:
            drawn[f"between-{name}"] = (
                row_figure(pictures["between"]),
                f"{training.name}: from one artwork to another in equal steps between their vectors.",
            )
    return drawn


def losses_figure(losses: Sequence[Mapping[str, float]]) -> Figure:
    """A curve for each loss against the epoch, each on its own axis."""
    names = [name for name in losses[0] if name not in ("epoch", "seconds")]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(names), 2.6), layout="constrained")
        for axes, name, colour in zip(
            np.ravel(figure.subplots(1, len(names))), names, COLOURS, strict=False
        ):
            axes.plot(
                [row["epoch"] for row in losses],
                [row[name] for row in losses],
                color=colour,
                marker="o" if len(losses) < 3 else None,
            )
            axes.set(title=name.replace("_", " "), xlabel="epoch")
    return figure


def examples_figure(pictures: Mapping[str, Any]) -> Figure:
    """A figure with a column for each artwork: the picture, and the pictures that were made of it."""
    rows = [name for name in EXAMPLE_ROWS if name in pictures]
    columns = max(1, len(pictures[rows[0]]))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.2 * columns + 1, 1.2 * len(rows)), layout="constrained")
        grid = np.reshape(figure.subplots(len(rows), columns), (len(rows), columns))
        for line, name in zip(grid, rows, strict=True):
            for axes, image in zip(line, pictures[name], strict=False):
                axes.imshow(image)
            line[0].set_ylabel(EXAMPLE_ROWS[name], rotation=0, ha="right", va="center")
        _bare(grid)
    return figure


def row_figure(images: Any) -> Figure:
    """Images side by side."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.2 * len(images), 1.2), layout="constrained")
        grid = np.reshape(figure.subplots(1, len(images)), (1, len(images)))
        for axes, image in zip(grid[0], images, strict=True):
            axes.imshow(image)
        _bare(grid)
    return figure


def _bare(grid: Any) -> None:
    for axes in np.ravel(grid):
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(False)
