"""The report of an experiment: its settings side by side, with the study's published values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.evaluation.metrics import STUDY_METRICS
from simsearch.reports import figures
from simsearch.reports.figure_files import png_address
from simsearch.reports.rendering import render
from simsearch.reports.tables import SIGNIFICANT, ScoreCell, difference_words, p_words
from simsearch.settings.sections.extraction import STUDY_BACKBONES
from simsearch.snapshots.plan import Plan

# The 2018 study's figures on 989 MoMA originals: mean and standard deviation over originals, of which it
# sometimes published only one (None: not published).
PUBLISHED: Mapping[tuple[str, int, str], tuple[float | None, float | None]] = {
    ("resnet152", 3, "precision"): (0.674, 0.294),
    ("resnet152", 3, "recall"): (0.404, 0.176),
    ("resnet152", 3, "f1"): (0.506, 0.220),
    ("resnet152", 1, "precision"): (None, 0.263),
    ("resnet152", 5, "precision"): (None, 0.201),
    ("densenet201", 1, "precision"): (None, 0.235),
    ("densenet201", 3, "precision"): (None, 0.293),
    ("densenet201", 5, "precision"): (None, 0.208),
    ("vgg16", 1, "precision"): (None, 0.045),
    ("vgg16", 3, "precision"): (None, 0.065),
    ("vgg16", 5, "precision"): (None, 0.114),
}


@dataclass(frozen=True)
class ResultRow:
    """A score of a space at a k in every setting, what the study published of it, and the `ceiling` of a
    perfect search, over `n` originals; settings that rejected different images have different numbers."""

    space: str
    k: int
    metric: str
    cells: list[ScoreCell]
    published: str
    ceiling: str
    n: str


@dataclass(frozen=True)
class PairedTestRow:
    """Two settings of a space, or two spaces of a setting, compared; `significant`: the difference is more
    than chance."""

    compared: str
    k: int
    first: str
    second: str
    difference: str
    p: str
    significant: bool


@dataclass(frozen=True)
class ExperimentPage:
    """What the report of an experiment shows, by the names of its template. `settings` are words by name;
    `figure` is an address that holds a picture."""

    name: str
    created: str
    settings: Mapping[str, str]
    snapshot_ids: Mapping[str, str]
    verdicts: list[str]
    rows: list[ResultRow]
    untrained: frozenset[str]
    tests: list[PairedTestRow]
    figure: str
    plans: Mapping[str, Plan]
    environment: Mapping[str, str]


def experiment_page(
    *,
    name: str,
    created: str,
    settings: Mapping[str, str],
    snapshot_ids: Mapping[str, str],
    plans: Mapping[str, Plan],
    results: pa.Table,
    tests: pa.Table,
    batch_size: int | None,
    environment: Mapping[str, str],
) -> tuple[str, dict[str, bytes]]:
    """The page, self-contained, and its figure as files by name."""
    plan = next(iter(plans.values()))
    figure = figures.save(figures.settings_figure(results, settings, _untrained(plan), PUBLISHED))
    page = ExperimentPage(
        name=name,
        created=created,
        settings=settings,
        snapshot_ids=snapshot_ids,
        verdicts=verdicts(plan, batch_size),
        rows=result_rows(results, settings),
        untrained=_untrained(plan),
        tests=[_test_row(row) for row in tests.to_pylist()],
        figure=png_address(figure["png"]),
        plans=plans,
        environment=environment,
    )
    html = render("experiment", page)
    return html, {f"settings.{kind}": data for kind, data in figure.items()}


def verdicts(plan: Plan, batch_size: int | None) -> list[str]:
    """Sentences on what these figures show about the study, and what they do not."""
    sentences = []
    untrained = sorted(_untrained(plan))
    trained = [space.name for space in plan.spaces if space.trained]
    ours = [name for name in trained if name in STUDY_BACKBONES]
    foreign = [name for name in trained if name not in STUDY_BACKBONES]
    if untrained:
        sentences.append(
            f"Untrained: {', '.join(untrained)} ran with random weights. Their figures say nothing about the study."
        )
    if foreign:
        sentences.append(
            f"Not the study's networks: {', '.join(foreign)}. Their figures show what live batch statistics, dropout "
            "and missing normalisation cost a network, and say nothing about the study's own ranking."
        )
    if ours:
        sentences.append(
            f"The study's networks with trained weights: {', '.join(ours)}. Comparable with its published values as "
            "far as these are the ImageNet weights of 2018 and the collections are alike."
        )
    else:
        sentences.append(
            "None of the study's networks ran with trained weights: this report can neither confirm nor refute the "
            "study's ranking of VGG16, ResNet152 and DenseNet."
        )
    sentences.append(
        "The study measured 989 MoMA originals; this collection is another unless it is those. With a live network a "
        f"vector depends on its batch ({batch_size or 'the default number of'} images here, an original and its copies "
        "often together); the study's batches are not known."
    )
    return sentences


def _untrained(plan: Plan) -> frozenset[str]:
    return frozenset(space.name for space in plan.spaces if not space.trained)


def result_rows(results: pa.Table, settings: Mapping[str, str]) -> list[ResultRow]:
    """A row per space, k and metric: every setting's figure by exact search and by Annoy, and the study's
    published value."""
    cells_of: dict[tuple[str, int, str], dict[tuple[str, str], str]] = {}
    chosen = results.filter(
        (pc.field("scope") == "all") & pc.field("metric").isin(list(STUDY_METRICS))
    )
    ceilings: dict[tuple[str, int, str], float] = {}
    originals: dict[tuple[str, int, str], set[int]] = {}
    for row in chosen.to_pylist():
        key = (row["space"], row["k"], row["metric"])
        ceilings[key] = row["ceiling"]
        originals.setdefault(key, set()).add(row["n"])
        words = f"{row['mean']:.3f} ± {row['std']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
        cells_of.setdefault(key, {})[row["setting"], row["search"]] = words
    return [
        ResultRow(
            space,
            k,
            "F1" if metric == "f1" else metric,
            [_cell(cells, setting) for setting in settings],
            _write_published(space, k, metric),
            f"{ceilings[space, k, metric]:.3f}",
            ", ".join(map(str, sorted(originals[space, k, metric]))),
        )
        for (space, k, metric), cells in cells_of.items()
    ]


def _cell(cells: Mapping[tuple[str, str], str], setting: str) -> ScoreCell:
    exact, annoy = cells[setting, "exact"], cells[setting, "annoy"]
    return ScoreCell(exact, "" if annoy == exact else annoy)


def _write_published(space: str, k: int, metric: str) -> str:
    mean, std = PUBLISHED.get((space, k, metric), (None, None))
    if std is None:
        return "–"
    return f"± {std:.3f}" if mean is None else f"{mean:.3f} ± {std:.3f}"


def _test_row(row: Mapping[str, Any]) -> PairedTestRow:
    return PairedTestRow(
        row["compared"],
        row["k"],
        row["first"],
        row["second"],
        difference_words(row),
        p_words(row["p_holm"]),
        row["p_holm"] < SIGNIFICANT,
    )
