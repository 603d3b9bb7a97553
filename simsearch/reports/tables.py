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


def summary_rows(metrics: pa.Table, names: Sequence[str] = STUDY_METRICS) -> list[dict[str, Any]]:
    """Scores of all copies together per space and k, with exact search and Annoy side by side. By default
    they are the study's: precision, recall and F1."""
    rows: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in of_all_copies(metrics, names).to_pylist():
        key = (row["space"], row["k"], row["metric"])
        entry = rows.setdefault(
            key,
            {
                "space": row["space"],
                "k": row["k"],
                "metric": "F1" if row["metric"] == "f1" else row["metric"],
                "ceiling": f"{row['ceiling']:.3f}",
                "n": row["n"],
            },
        )
        entry[row["search"]] = Score(row["mean"], row["std"], row["ci_low"], row["ci_high"])
    return list(rows.values())


def of_all_copies(metrics: pa.Table, names: Sequence[str]) -> pa.Table:
    return metrics.filter((pc.field("scope") == "all") & pc.field("metric").isin(list(names)))


def ranking_table(metrics: pa.Table) -> dict[str, Any]:
    """Scores of whole rankings: `columns`, then `rows` per space and group, each with `cells` by exact
    search. Annoy's scores are added if an older snapshot measured them and they read differently."""
    reached = set(metrics.filter(pc.field("metric") == "recall_curve")["k"].to_pylist())
    columns: dict[tuple[str, int], str] = {
        (name, 0): words for name, words in RANKING_METRICS.items()
    }
    columns |= {("recall_curve", k): f"Recall at {k}" for k in CURVE_SHOWN if k in reached}
    rows: dict[tuple[str, str], dict[Any, Any]] = {}
    for row in metrics.filter(
        pc.field("metric").isin([*RANKING_METRICS, "recall_curve"])
    ).to_pylist():
        key = (row["metric"], row["k"] if row["metric"] == "recall_curve" else 0)
        if key in columns:
            entry = rows.setdefault((row["space"], row["scope"]), {"n": row["n"]})
            entry.setdefault(key, {})[row["search"]] = interval(row)
    places = list(columns)
    return {
        "columns": list(columns.values()),
        "rows": [
            {
                "space": space,
                "scope": group,
                "single": group not in ("all", *KINDS),
                "n": entry["n"],
                "cells": [_both(entry[place]) for place in places],
            }
            for (space, group), entry in rows.items()
        ],
    }


def _both(words: Mapping[str, str]) -> dict[str, str]:
    annoy = words.get("annoy", words["exact"])
    return {"exact": words["exact"], "annoy": annoy if annoy != words["exact"] else ""}


def label_rows(metrics: pa.Table) -> list[dict[str, Any]]:
    """The share of an artwork's nearest that share its label, by exact search, and by chance."""
    entries: dict[tuple[str, str, int], dict[str, Any]] = {}
    chosen = metrics.filter(
        (pc.field("search") == "exact")
        & pc.field("metric").isin(["label_precision", "label_chance"])
    )
    for row in chosen.to_pylist():
        entry = entries.setdefault((row["space"], row["scope"], row["k"]), {"n": row["n"]})
        if row["metric"] == "label_precision":
            entry["exact"] = interval(row)
        else:
            entry["chance"] = f"{row['mean']:.3f}"
    return [
        {"space": space, "label": label, "k": k, "chance": "–", **entry}
        for (space, label, k), entry in entries.items()
    ]


def space_rows(metrics: pa.Table) -> list[dict[str, Any]]:
    """Hubness of every space and agreement of each two, by exact search."""
    rows = []
    chosen = metrics.filter(
        (pc.field("search") == "exact") & pc.field("metric").isin(["hubness", "neighbour_overlap"])
    )
    for row in chosen.to_pylist():
        hubs = row["metric"] == "hubness"
        quantity = (
            f"hubness: skewness of how often a work is among others' {row['k']} nearest"
            if hubs
            else f"share of the {row['k']} nearest in common with {row['scope']}"
        )
        words = f"{row['mean']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
        rows.append({"space": row["space"], "what": quantity, "exact": words, "n": row["n"]})
    return rows


def near_duplicate_rows(table: pa.Table, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pairs of near-duplicate artworks with what they have in common: equal files first, then the pairs of
    which chance explains least."""

    def place(row: Mapping[str, Any]) -> tuple[float, int, str, str]:
        alarms = -1.0 if row["false_alarms"] is None else row["false_alarms"]
        return alarms, -(row["inliers"] or 0), row["artwork_id"], row["other_id"]

    return [
        {
            "first": f"{titles.get(row['artwork_id']) or row['artwork_id']} ({row['artwork_id']})",
            "second": f"{titles.get(row['other_id']) or row['other_id']} ({row['other_id']})",
            "relation": relation_words(row["relation"], mirrored=bool(row["mirrored"])),
            "inliers": "–" if row["inliers"] is None else f"{row['inliers']}",
            "false_alarms": "–" if row["false_alarms"] is None else f"{row['false_alarms']:.1g}",
        }
        for row in sorted(table.to_pylist(), key=place)
    ]


def comparison_rows(comparisons: pa.Table) -> list[dict[str, Any]]:
    """A row for each two spaces, which says whether their difference is more than chance."""
    return [
        {
            **row,
            "metric": "F1" if row["metric"] == "f1" else RANKING_METRICS[row["metric"]].lower(),
            "difference": f"{row['difference']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]",
            "p": p_words(row["p_holm"]),
            "told_apart": row["p_holm"] < SIGNIFICANT,
        }
        for row in comparisons.to_pylist()
    ]


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
