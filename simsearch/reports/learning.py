"""The report's section on learned spaces: the artworks that they learned from, their cost, and how well they
recognise changes that they never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import safetensors.numpy
from markupsafe import Markup
from matplotlib.figure import Figure

from simsearch.encoders.trained import (
    EXAMPLES,
    Training,
    count_seen,
    measured_of,
    trainings_of,
)
from simsearch.images.suites import STUDY_PROFILES, operation_of
from simsearch.reading.training_log import EXAMPLE_ROWS, TrainingRow, training_row
from simsearch.reports.figure_files import CaptionedFigure, PageFigure
from simsearch.reports.figures import STYLE
from simsearch.reports.loss_curves import loss_curves
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class SplitRow:
    """The mean average precision of a space for changes that were `seen` in training and for others, in
    words."""

    space: str
    seen: str
    unseen: str


@dataclass(frozen=True)
class TrainingCurves:
    """A curve of each loss of a training, by what the loss is called."""

    training: str
    losses: list[tuple[str, Markup]]


@dataclass(frozen=True)
class LearningSection:
    """What the section on learned spaces shows; `warnings` are sentences that a reader must know before
    believing a score."""

    rows: list[TrainingRow]
    curves: list[TrainingCurves]
    split: list[SplitRow]
    warnings: list[str]
    figures: Sequence[PageFigure] = ()


def learning_of(
    snapshot: Snapshot, metrics: pa.Table
) -> tuple[LearningSection, dict[str, CaptionedFigure]]:
    """The section on learned spaces, and its figures by name; all empty where no space learned."""
    plan = snapshot.plan()
    trainings = trainings_of(snapshot.storage, plan.spaces)
    measured = measured_of(snapshot.images())
    rows: list[TrainingRow] = []
    curves: list[TrainingCurves] = []
    drawn: dict[str, CaptionedFigure] = {}
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
            if training.losses:
                curves.append(TrainingCurves(training.name, loss_curves(training.losses)))
            drawn |= _figures(snapshot, training)
    profiles = {
        profile
        for of_space in trainings.values()
        for training in of_space
        for profile in training.profiles
    }
    split = split_rows(metrics, profiles) if rows else []
    return LearningSection(rows, curves, split, warnings), drawn


def split_rows(metrics: pa.Table, learned: set[str]) -> list[SplitRow]:
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
        SplitRow(space, _mean_words(means.get(True)), _mean_words(means.get(False)))
        for space, means in known.items()
    ]


def _mean_words(means: Sequence[float] | None) -> str:
    return f"{np.mean(means):.3f} ({len(means)})" if means else "–"


def _figures(snapshot: Snapshot, training: Training) -> dict[str, CaptionedFigure]:
    drawn = {}
    name = training.folder.rpartition("/")[2]
    path = f"{training.folder}/{EXAMPLES}"
    if snapshot.storage.exists(path):
        pictures = safetensors.numpy.load(snapshot.storage.read_bytes(path))
        drawn[f"examples-{name}"] = CaptionedFigure(
            made_pictures_figure(pictures),
            f"{training.name}: artworks that it did not learn from, what it makes of them, copies of "
            "them, and what it makes of those.",
        )
        if "between" in pictures:
            drawn[f"between-{name}"] = CaptionedFigure(
                row_figure(pictures["between"]),
                f"{training.name}: from one artwork to another in equal steps between their vectors.",
            )
    return drawn


def made_pictures_figure(pictures: Mapping[str, Any]) -> Figure:
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
