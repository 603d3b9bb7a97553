"""The report of a snapshot: one self-contained HTML file, its figures as PNG and SVG beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.evaluation.metrics import STUDY_METRICS
from simsearch.features.collapse import collapse_warnings
from simsearch.reading.costs import timings_of, training_seconds
from simsearch.reading.view import SnapshotView
from simsearch.reports import figures
from simsearch.reports.conclusion import Candidate, candidates
from simsearch.reports.evaluation_section import EvaluationSection, evaluation_section
from simsearch.reports.figure_files import CaptionedFigure, PageFigure, store_figures
from simsearch.reports.learning import LearningSection, learning_of
from simsearch.reports.network_rows import NetworkRow, network_rows
from simsearch.reports.pictures import pictures_of
from simsearch.reports.rendering import render
from simsearch.reports.tables import SummaryRow, of_all_copies, summary_rows
from simsearch.settings.shown_places import show_reject, show_settings
from simsearch.snapshots.held_out import find_held_out
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Counts
from simsearch.snapshots.step_record import StepRecord


@dataclass(frozen=True)
class ProfileRow:
    """The share of originals whose copy of one profile is found in a space, in words, at each k."""

    space: str
    profile: str
    shares: list[str]


@dataclass(frozen=True)
class RejectRow:
    """How many images were rejected at a stage for a reason, with one of them."""

    stage: str
    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class ReportPage:
    """What the report shows, by the names of its template. `ks` are those of `by_profile`; `exact` are the
    spaces whose index compares all vectors; `settings` are YAML."""

    snapshot_id: str
    created: str
    warnings: Sequence[str]
    counts: Mapping[str, int]
    summary: Sequence[SummaryRow]
    by_profile: Sequence[ProfileRow]
    ks: Sequence[int]
    untrained: frozenset[str]
    geometry: bool
    exact: frozenset[str]
    evaluation: EvaluationSection
    learning: LearningSection
    networks: Sequence[NetworkRow]
    rejects: Sequence[RejectRow]
    charts: Sequence[PageFigure]
    pictures: Sequence[PageFigure]
    steps: Sequence[StepRecord]
    environment: Mapping[str, str]
    settings: str


def write_report(
    view: SnapshotView,
    counts: Counts,
    steps: Sequence[StepRecord],
    environment: Mapping[str, str],
) -> None:
    """Store the report and figures of an evaluated snapshot.

    Raises NotFoundError if an earlier step has not run.
    """
    snapshot, plan = view.snapshot, view.plan
    metrics = snapshot.storage.read_table(snapshot.metrics_path)
    evaluation, costs = _evaluation(view, metrics)
    learning, learned = learning_of(snapshot, metrics)
    page = report_page(
        snapshot_id=snapshot.snapshot_id,
        created=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        plan=plan,
        counts=counts,
        metrics=metrics,
        evaluation=replace(evaluation, figures=store_figures(snapshot, costs)),
        networks=network_rows(snapshot),
        rejects=_rejects(snapshot.rejects()),
        charts=store_figures(snapshot, _charts(metrics, plan.untrained)),
        pictures=store_figures(snapshot, pictures_of(view)),
        steps=steps,
        environment=environment,
        settings=show_settings(view.config),
        learning=replace(learning, figures=store_figures(snapshot, learned)),
    )
    snapshot.storage.write_bytes(snapshot.report_path, render("report", page).encode())


def report_page(
    *,
    snapshot_id: str,
    created: str,
    plan: Plan,
    counts: Counts,
    metrics: pa.Table,
    evaluation: EvaluationSection,
    networks: Sequence[NetworkRow],
    rejects: Sequence[RejectRow],
    charts: Sequence[PageFigure],
    pictures: Sequence[PageFigure],
    steps: Sequence[StepRecord],
    environment: Mapping[str, str],
    settings: str,
    learning: LearningSection,
) -> ReportPage:
    """The page of a snapshot with these metrics (schemas.METRICS)."""
    summary = summary_rows(metrics)
    shown_counts = {
        "artworks": counts.artworks,
        "images embedded": counts.images,
        "rejected": counts.rejects,
    }
    if summary:
        shown_counts["originals with copies"] = summary[0].n
    return ReportPage(
        snapshot_id=snapshot_id,
        created=created,
        warnings=(*plan.warnings, *collapse_warnings(metrics), *learning.warnings),
        counts=shown_counts,
        summary=summary,
        by_profile=_profile_rows(metrics),
        ks=sorted(set(of_all_copies(metrics, STUDY_METRICS)["k"].to_pylist())),
        untrained=plan.untrained,
        geometry=plan.settings.geometry.enabled,
        exact=frozenset(row.name for row in networks if row.search_k is None),
        evaluation=evaluation,
        learning=learning,
        networks=networks,
        rejects=rejects,
        charts=charts,
        pictures=pictures,
        steps=steps,
        environment=environment,
        settings=settings,
    )


def _profile_rows(metrics: pa.Table) -> list[ProfileRow]:
    recovered = metrics.filter(pc.field("metric") == "recovered")
    largest = recovered.filter(pc.field("k") == pc.max(recovered["k"]))
    if not largest.num_rows or pc.min(largest["ceiling"]).as_py() < 1:
        return []  # The k ranks have no room for all copies. The scores of rankings say more.
    shares: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
    for row in recovered.to_pylist():
        by_k = shares.setdefault((row["space"], row["scope"]), {})
        by_k.setdefault(row["k"], {})[row["search"]] = row["mean"]
    return [
        ProfileRow(space, profile, [_share(by_k[k]) for k in sorted(by_k)])
        for (space, profile), by_k in shares.items()
    ]


def _share(means: Mapping[str, float]) -> str:
    exact, annoy = f"{means['exact']:.3f}", f"{means['annoy']:.3f}"
    return exact if exact == annoy else f"{exact} ({annoy})"


def _rejects(rejects: pa.Table) -> list[RejectRow]:
    rows = [show_reject(row) for row in rejects.to_pylist()]
    counts = Counter((row["stage"], row["reason"]) for row in rows)
    examples = {(row["stage"], row["reason"]): row for row in reversed(rows)}
    return [
        RejectRow(stage, reason, count, _example_words(examples[stage, reason]))
        for (stage, reason), count in counts.most_common()
    ]


def _example_words(reject: Mapping[str, Any]) -> str:
    return f"{reject['artwork_id']}: {reject['detail'] or ''}"


def _charts(metrics: pa.Table, untrained: frozenset[str]) -> dict[str, CaptionedFigure]:
    if not summary_rows(metrics):
        return {}
    return {
        "curves": CaptionedFigure(
            figures.curves_figure(metrics, untrained),
            "Precision, recall and F1 against the number of neighbours, by exact search. Bands are one standard "
            "deviation over originals; the dashed line is the ceiling of a perfect search.",
        ),
        "profiles-recovered": CaptionedFigure(
            figures.profile_figure(metrics, untrained),
            "How well each perturbation profile's copies are found, per space, by exact search.",
        ),
    } | _recall_chart(metrics, untrained)


def _recall_chart(metrics: pa.Table, untrained: frozenset[str]) -> dict[str, CaptionedFigure]:
    if not metrics.filter(pc.field("metric") == "recall_curve").num_rows:
        return {}
    return {
        "recall-curve": CaptionedFigure(
            figures.recall_figure(metrics, untrained),
            "Recall of all copies against the number of neighbours, by exact search, with its 95 % interval. "
            "Near-duplicates in the collection are left out.",
        )
    }


def _evaluation(
    view: SnapshotView, metrics: pa.Table
) -> tuple[EvaluationSection, dict[str, CaptionedFigure]]:
    """The sections on conclusion, rankings and neighbours, and their figures."""
    snapshot, plan = view.snapshot, view.plan
    storage = snapshot.storage
    comparisons = storage.read_table(snapshot.comparisons_path)
    near = storage.read_table(snapshot.near_duplicates_path)
    timings = timings_of(snapshot)
    names = (view.catalog[column].to_pylist() for column in ("artwork_id", "title"))
    titles = dict(zip(*names, strict=True))
    ranked = candidates(metrics, plan.spaces, timings, training_seconds(snapshot))
    section = evaluation_section(metrics, comparisons, near, titles, ranked)
    asked = find_held_out(storage, plan, snapshot.images()).words
    return replace(section, asked=asked), _cost(ranked)


def _cost(ranked: Sequence[Candidate]) -> dict[str, CaptionedFigure]:
    if not any(candidate.images_per_second for candidate in ranked):
        return {}
    caption = (
        "Quality against cost: mean average precision of all copies with its 95 % interval, over the images that "
        "one actor embedded per second in this root's own runs. Areas are as the bytes of a vector; hollow marks "
        "are untrained networks or the study's mode."
    )
    return {"quality-cost": CaptionedFigure(figures.cost_figure(ranked), caption)}
