"""The evaluation's tables as rows for readers: words and rounded numbers, without new computations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.evaluation.metrics import RANKING_METRICS, STUDY_METRICS
from simsearch.evaluation.ranking import CURVE_KS
from simsearch.images.perturbations import KINDS
from simsearch.reading.chance_words import rounded_up
from simsearch.reading.findings.duplicates import relation_words

CURVE_SHOWN = (1, 10, 100)

NEAR_DUPLICATES_SHOWN = 50

SIGNIFICANT = 0.05


def interval(row: Mapping[str, Any]) -> str:
    """The mean and interval, and the ceiling if a perfect search would not reach 1."""
    words = f"{row['mean']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
    return words if row["ceiling"] > 0.9995 else f"{words} of {row['ceiling']:.3f}"


@dataclass(frozen=True)
class Score:
    """Mean and standard deviation over originals, and the 95 % interval of the mean."""

    mean: float
    std: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.std:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class SummaryRow:
    """A score of all copies together: of a space at a k, by exact search and by Annoy, None where that was
    not measured; the `ceiling` of a perfect search; over `n` originals."""

    space: str
    k: int
    metric: str
    exact: Score | None
    annoy: Score | None
    ceiling: str
    n: int


def summary_rows(metrics: pa.Table, further: Sequence[str] = ()) -> list[SummaryRow]:
    """Scores of all copies together per space and k, with exact search and Annoy side by side: the study's
    (precision, recall and F1) and those of the `further` metrics. None without copies."""
    by_search: dict[tuple[str, int, str], dict[str, dict[str, Any]]] = {}
    for row in of_all_copies(metrics, (*STUDY_METRICS, *further)).to_pylist():
        key = (row["space"], row["k"], row["metric"])
        by_search.setdefault(key, {})[row["search"]] = row
    return [
        SummaryRow(
            space,
            k,
            "F1" if metric == "f1" else metric,
            _score(rows.get("exact")),
            _score(rows.get("annoy")),
            f"{next(iter(rows.values()))['ceiling']:.3f}",
            next(iter(rows.values()))["n"],
        )
        for (space, k, metric), rows in by_search.items()
    ]


def _score(row: Mapping[str, Any] | None) -> Score | None:
    if row is None:
        return None
    return Score(row["mean"], row["std"], row["ci_low"], row["ci_high"])


def of_all_copies(metrics: pa.Table, names: Sequence[str]) -> pa.Table:
    return metrics.filter((pc.field("scope") == "all") & pc.field("metric").isin(list(names)))


@dataclass(frozen=True)
class ScoreCell:
    """A score by exact search in words, and Annoy's where it reads differently."""

    exact: str
    annoy: str


@dataclass(frozen=True)
class RankingRow:
    """The scores of a space's rankings over a group of copies; `single`: the group is one profile."""

    space: str
    scope: str
    single: bool
    n: int
    cells: list[ScoreCell]


@dataclass(frozen=True)
class RankingTable:
    columns: list[str]
    lines: list[RankingRow]


def ranking_table(metrics: pa.Table) -> RankingTable:
    """Scores of whole rankings by exact search, and Annoy's where older snapshots measured it."""
    reached = set(metrics.filter(pc.field("metric") == "recall_curve")["k"].to_pylist())
    columns: dict[tuple[str, int], str] = {
        (name, 0): words for name, words in RANKING_METRICS.items()
    }
    columns |= {("recall_curve", k): f"Recall at {k}" for k in CURVE_SHOWN if k in reached}
    words_of: dict[tuple[str, str], dict[tuple[str, int], dict[str, str]]] = {}
    originals: dict[tuple[str, str], int] = {}
    for row in metrics.filter(
        pc.field("metric").isin([*RANKING_METRICS, "recall_curve"])
    ).to_pylist():
        column = (row["metric"], row["k"] if row["metric"] == "recall_curve" else 0)
        if column in columns:
            line = (row["space"], row["scope"])
            originals.setdefault(line, row["n"])
            cells = words_of.setdefault(line, {})
            cells.setdefault(column, {})[row["search"]] = interval(row)
    lines = [
        RankingRow(
            space,
            group,
            group not in ("all", *KINDS),
            originals[space, group],
            [_both(cells[column]) for column in columns],
        )
        for (space, group), cells in words_of.items()
    ]
    return RankingTable(list(columns.values()), lines)


def _both(words: Mapping[str, str]) -> ScoreCell:
    annoy = words.get("annoy", words["exact"])
    return ScoreCell(words["exact"], annoy if annoy != words["exact"] else "")


@dataclass(frozen=True)
class LabelRow:
    """The share of a work's `k` nearest in a space that have its `label`, and the share by chance."""

    space: str
    label: str
    k: int
    share: str
    chance: str
    n: int


def label_rows(metrics: pa.Table) -> list[LabelRow]:
    """The share of an artwork's nearest that share its label, by exact search, and by chance."""
    by_metric: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    chosen = metrics.filter(
        (pc.field("search") == "exact")
        & pc.field("metric").isin(["label_precision", "label_chance"])
    )
    for row in chosen.to_pylist():
        key = (row["space"], row["scope"], row["k"])
        by_metric.setdefault(key, {})[row["metric"]] = row
    return [
        LabelRow(
            space,
            label,
            k,
            interval(rows["label_precision"]),
            f"{rows['label_chance']['mean']:.3f}" if "label_chance" in rows else "–",
            rows["label_precision"]["n"],
        )
        for (space, label, k), rows in by_metric.items()
    ]


@dataclass(frozen=True)
class SpaceRow:
    """A `measure` of a space in words, over `n` artworks."""

    space: str
    measure: str
    value: str
    n: int


def space_rows(metrics: pa.Table) -> list[SpaceRow]:
    """Hubness of every space and agreement of each two, by exact search."""
    rows = []
    chosen = metrics.filter(
        (pc.field("search") == "exact") & pc.field("metric").isin(["hubness", "neighbour_overlap"])
    )
    for row in chosen.to_pylist():
        hubs = row["metric"] == "hubness"
        measure = (
            f"hubness: skewness of how often a work is among others' {row['k']} nearest"
            if hubs
            else f"share of the {row['k']} nearest in common with {row['scope']}"
        )
        words = f"{row['mean']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
        rows.append(SpaceRow(row["space"], measure, words, row["n"]))
    return rows


@dataclass(frozen=True)
class NearDuplicateRow:
    """Two artworks and what their pictures have in common, in words."""

    first: str
    second: str
    relation: str
    inliers: str
    false_alarms: str


def near_duplicate_rows(table: pa.Table, titles: Mapping[str, str]) -> list[NearDuplicateRow]:
    """Pairs of near-duplicate artworks with what they have in common: equal files first, then the pairs of
    which chance explains least."""

    def place(row: Mapping[str, Any]) -> tuple[float, int, str, str]:
        alarms = -1.0 if row["false_alarms"] is None else row["false_alarms"]
        return alarms, -(row["inliers"] or 0), row["artwork_id"], row["other_id"]

    return [
        NearDuplicateRow(
            f"{titles.get(row['artwork_id']) or row['artwork_id']} ({row['artwork_id']})",
            f"{titles.get(row['other_id']) or row['other_id']} ({row['other_id']})",
            relation_words(row["relation"], mirrored=bool(row["mirrored"])),
            "–" if row["inliers"] is None else f"{row['inliers']}",
            "–" if row["false_alarms"] is None else rounded_up(row["false_alarms"]),
        )
        for row in sorted(table.to_pylist(), key=place)
    ]


@dataclass(frozen=True)
class ComparisonRow:
    """Two spaces compared by a `metric` over a group of copies; `significant`: the difference is more than
    chance."""

    scope: str
    k: int
    metric: str
    first: str
    second: str
    difference: str
    p: str
    significant: bool


def comparison_rows(comparisons: pa.Table) -> list[ComparisonRow]:
    """A row for each two spaces, which says whether their difference is more than chance."""
    return [
        ComparisonRow(
            row["scope"],
            row["k"],
            "F1" if row["metric"] == "f1" else RANKING_METRICS[row["metric"]].lower(),
            row["first"],
            row["second"],
            difference_words(row),
            p_words(row["p_holm"]),
            row["p_holm"] < SIGNIFICANT,
        )
        for row in comparisons.to_pylist()
    ]


def difference_words(row: Mapping[str, Any]) -> str:
    """A mean difference with its interval."""
    return f"{row['difference']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"


def p_words(p_value: float) -> str:
    return "< 0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def curve(metrics: pa.Table, space: str) -> Sequence[Mapping[str, Any]]:
    """The recall curve of all copies by exact search: rows of schemas.METRICS in the order of k."""
    rows: list[dict[str, Any]] = (
        metrics.filter(
            (pc.field("space") == space)
            & (pc.field("search") == "exact")
            & (pc.field("scope") == "all")
            & (pc.field("metric") == "recall_curve")
            & pc.field("k").isin(list(CURVE_KS))
        )
        .sort_by("k")
        .to_pylist()
    )
    return rows
