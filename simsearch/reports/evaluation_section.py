"""The report's sections on conclusion, rankings and neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from simsearch.reports.conclusion import Candidate, Pick, label_warnings, no_advice, picks
from simsearch.reports.figure_files import PageFigure
from simsearch.reports.significance import MARGIN
from simsearch.reports.tables import (
    NEAR_DUPLICATES_SHOWN,
    ComparisonRow,
    LabelRow,
    NearDuplicateRow,
    RankingTable,
    SpaceRow,
    comparison_rows,
    label_rows,
    near_duplicate_rows,
    ranking_table,
    space_rows,
)
from simsearch.runtime.progress import duration


@dataclass(frozen=True)
class CandidateRow:
    """A space with its mean average precision and its cost, in words."""

    space: str
    layer: str
    preprocessing: str
    mode: str
    quality: str
    rate: str
    size: str
    training: str


@dataclass(frozen=True)
class PickRow:
    """The advice for a group of changes, in words; `equals` and `undecided` are empty where there are
    none."""

    scope: str
    space: str
    quality: str
    best: str
    equals: str
    undecided: str
    rate: str
    size: str
    training: str


@dataclass(frozen=True)
class EvaluationSection:
    """What the sections on conclusion, rankings and neighbours show. `n` originals were compared; of
    `near_count` near-duplicates the closest are shown; `asked` says which originals were measured, empty:
    all."""

    n: int
    candidates: list[CandidateRow]
    no_advice: str
    margin: float
    picks: list[PickRow]
    label_warnings: list[str]
    comparisons: list[ComparisonRow]
    rankings: RankingTable
    labels: list[LabelRow]
    spaces: list[SpaceRow]
    near_count: int
    near_duplicates: list[NearDuplicateRow]
    asked: str = ""
    figures: Sequence[PageFigure] = ()


def evaluation_section(
    metrics: pa.Table,
    comparisons: pa.Table,
    near_duplicates: pa.Table,
    titles: Mapping[str, str],
    ranked: Sequence[Candidate],
) -> EvaluationSection:
    near = near_duplicate_rows(near_duplicates, titles)
    advice = picks(metrics, comparisons, ranked)
    return EvaluationSection(
        n=max((row["n"] for row in comparisons.to_pylist()), default=0),
        candidates=[_candidate_row(candidate) for candidate in ranked],
        no_advice=no_advice(comparisons, ranked),
        margin=MARGIN,
        picks=[_pick_row(pick) for pick in advice],
        label_warnings=[
            warning
            for pick in advice
            if pick.group == "all"
            for warning in label_warnings(metrics, pick.choice.space.name, ranked)
        ],
        comparisons=comparison_rows(comparisons),
        rankings=ranking_table(metrics),
        labels=label_rows(metrics),
        spaces=space_rows(metrics),
        near_count=len(near),
        near_duplicates=near[:NEAR_DUPLICATES_SHOWN],
    )


def _candidate_row(candidate: Candidate) -> CandidateRow:
    space = candidate.space
    return CandidateRow(
        space.name,
        space.layer,
        space.preprocessing_words,
        space.mode,
        _quality_words(candidate),
        *_cost_words(candidate),
    )


def _pick_row(pick: Pick) -> PickRow:
    return PickRow(
        pick.group,
        pick.choice.space.name,
        _quality_words(pick),
        pick.best,
        ", ".join(pick.equals),
        ", ".join(pick.undecided),
        *_cost_words(pick.choice),
    )


def _quality_words(measured: Candidate | Pick) -> str:
    return f"{measured.quality:.3f} [{measured.low:.3f}, {measured.high:.3f}]"


def _cost_words(candidate: Candidate) -> tuple[str, str, str]:
    """Images per second, bytes per image and the time of the training, in words."""
    rate = candidate.images_per_second
    return (
        "not measured" if rate is None else f"{rate:,.1f} ({candidate.device})",
        f"{candidate.bytes_per_image:,}",
        duration(candidate.training_seconds) if candidate.training_seconds else "none",
    )
