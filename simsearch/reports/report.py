"""The report of a snapshot: one self-contained HTML file, its figures as PNG and SVG beside it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jinja2
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from simsearch import schemas
from simsearch.evaluation.held_out import find_held_out
from simsearch.evaluation.metrics import STUDY_METRICS
from simsearch.features.collapse import collapse_warnings
from simsearch.indexes.index import IndexManifest, read_manifest
from simsearch.reading.view import SnapshotView
from simsearch.reports import figures
from simsearch.reports.conclusion import Candidate, candidates, evaluation_rows, ran_on
from simsearch.reports.costs import add_heads, training_seconds
from simsearch.reports.learning import learning_of
from simsearch.reports.pictures import pictures_of
from simsearch.reports.tables import of_all_copies, summary_rows
from simsearch.settings.config import Config
from simsearch.settings.shown_places import show_place, show_reject, show_settings
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Counts, Snapshot
from simsearch.storage.parts import read_parts

Steps = Sequence[Mapping[str, Any]]


def write_report(
    config: Config,
    snapshot: Snapshot,
    counts: Counts,
    steps: Steps,
    environment: Mapping[str, str],
) -> None:
    """Store the report and figures of an evaluated snapshot.

    Raises NotFoundError if an earlier step has not run.
    """
    plan = snapshot.plan()
    metrics = snapshot.storage.read_table(snapshot.metrics_path)
    untrained = plan.untrained
    view = SnapshotView(config, snapshot)
    evaluation, drawn = _evaluation(view, metrics)
    evaluation["asked"] = find_held_out(snapshot.storage, plan, snapshot.images()).words
    charts = _charts(metrics, untrained)
    pictures = pictures_of(view)
    learning, learned = learning_of(snapshot, metrics)
    sources = {}
    for name, (figure, _) in {**drawn, **charts, **pictures, **learned}.items():
        for kind, data in figures.save(figure).items():
            snapshot.storage.write_bytes(snapshot.path(f"report/{name}.{kind}"), data)
            if kind == "png":
                sources[name] = "data:image/png;base64," + base64.b64encode(data).decode()
    evaluation["figures"] = [
        {"source": sources[name], "caption": text} for name, (_, text) in drawn.items()
    ]
    learning["figures"] = [
        {"source": sources[name], "caption": text} for name, (_, text) in learned.items()
    ]
    page = render(
        snapshot_id=snapshot.snapshot_id,
        created=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        plan=plan,
        counts=counts,
        metrics=metrics,
        evaluation=evaluation,
        networks=_networks(snapshot, plan),
        rejects=_rejects(snapshot.rejects()),
        charts=[{"source": sources[name], "caption": text} for name, (_, text) in charts.items()],
        pictures=[
            {"source": sources[name], "caption": text} for name, (_, text) in pictures.items()
        ],
        steps=steps,
        environment=environment,
        settings=show_settings(config),
        learning=learning,
    )
    snapshot.storage.write_bytes(snapshot.report_path, page.encode())


def render(
    *,
    snapshot_id: str,
    created: str,
    plan: Plan,
    counts: Counts,
    metrics: pa.Table,
    evaluation: Mapping[str, Any],
    networks: Sequence[Mapping[str, Any]],
    rejects: Sequence[Mapping[str, Any]],
    charts: Sequence[Mapping[str, str]],
    pictures: Sequence[Mapping[str, str]],
    steps: Steps,
    environment: Mapping[str, str],
    settings: str,
    learning: Mapping[str, Any],
) -> str:
    """The report's page. All text from outside is escaped."""
    loader = jinja2.PackageLoader("simsearch.reports")
    page = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    page.filters["place"] = show_place
    summary = summary_rows(metrics)
    shown_counts = {
        "artworks": counts.artworks,
        "images embedded": counts.images,
        "rejected": counts.rejects,
    }
    if summary:
        shown_counts["originals with copies"] = summary[0]["n"]
    return page.get_template("report.html.j2").render(
        snapshot_id=snapshot_id,
        created=created,
        warnings=(*plan.warnings, *collapse_warnings(metrics), *learning["warnings"]),
        learning=learning,
        counts=shown_counts,
        summary=summary,
        by_profile=_profile_rows(metrics),
        evaluation=evaluation,
        ks=sorted(set(of_all_copies(metrics, STUDY_METRICS)["k"].to_pylist())),
        untrained=plan.untrained,
        geometry=plan.settings.geometry.enabled,
        networks=networks,
        exact={row["name"] for row in networks if row["search_k"] is None},
        rejects=rejects,
        charts=charts,
        pictures=pictures,
        steps=steps,
        environment=environment,
        settings=settings,
    )


def _profile_rows(metrics: pa.Table) -> list[dict[str, Any]]:
    recovered = metrics.filter(pc.field("metric") == "recovered")
    largest = recovered.filter(pc.field("k") == pc.max(recovered["k"]))
    if not largest.num_rows or pc.min(largest["ceiling"]).as_py() < 1:
        return []  # The k ranks have no room for all copies. The scores of rankings say more.
    shares: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
    for row in recovered.to_pylist():
        by_k = shares.setdefault((row["space"], row["scope"]), {})
        by_k.setdefault(row["k"], {})[row["search"]] = row["mean"]
    return [
        {
            "space": space,
            "profile": profile,
            "shares": [_share(by_k[k]) for k in sorted(by_k)],
        }
        for (space, profile), by_k in shares.items()
    ]


def _share(means: Mapping[str, float]) -> str:
    exact, annoy = f"{means['exact']:.3f}", f"{means['annoy']:.3f}"
    return exact if exact == annoy else f"{exact} ({annoy})"


def _networks(snapshot: Snapshot, plan: Plan) -> list[dict[str, Any]]:
    timings = add_heads(read_parts(snapshot.storage, "timings", schemas.TIMINGS), snapshot)
    rows = []
    for space in plan.spaces:
        manifest = read_manifest(snapshot.storage, snapshot.index_folder(space.name))
        rows.append(
            {
                **space.to_json(),
                "preprocessing": space.preprocessing_words,
                "precision_reason": plan.precision_reasons[space.name],
                "ran_on": ran_on(timings, space.fingerprint),
                "recall": 1.0 if manifest.exact else manifest.recall,
                "deeper": _recalls_deeper(manifest),
                "search_k": None if manifest.exact else manifest.search_k,
                "components": manifest.components,
            }
        )
    return rows


def _recalls_deeper(manifest: IndexManifest) -> dict[int, str]:
    """The index's recall for more than `neighbours` images, in words, by the number of images."""
    deeper = {
        int(n): share for n, share in manifest.recalls.items() if int(n) > manifest.neighbours
    }
    return {
        n: "exact" if manifest.exact_for(n + 1) else f"{share:.4f}" for n, share in deeper.items()
    }


def _rejects(rejects: pa.Table) -> list[dict[str, Any]]:
    rows = [show_reject(row) for row in rejects.to_pylist()]
    counts = Counter((row["stage"], row["reason"]) for row in rows)
    examples = {(row["stage"], row["reason"]): row for row in reversed(rows)}
    return [
        {
            "stage": stage,
            "reason": reason,
            "count": count,
            "example": f"{examples[stage, reason]['artwork_id']}: {examples[stage, reason]['detail'] or ''}",
        }
        for (stage, reason), count in counts.most_common()
    ]


def _charts(metrics: pa.Table, untrained: frozenset[str]) -> dict[str, tuple[Figure, str]]:
    if not of_all_copies(metrics, STUDY_METRICS).num_rows:
        return {}
    return {
        "curves": (
            figures.curves_figure(metrics, untrained),
            "Precision, recall and F1 against the number of neighbours, by exact search. Bands are one standard "
            "deviation over originals; the dashed line is the ceiling of a perfect search.",
        ),
        "profiles-recovered": (
            figures.profile_figure(metrics, untrained),
            "How well each perturbation profile's copies are found, per space, by exact search.",
        ),
    } | _recall_chart(metrics, untrained)


def _recall_chart(metrics: pa.Table, untrained: frozenset[str]) -> dict[str, tuple[Figure, str]]:
    if not metrics.filter(pc.field("metric") == "recall_curve").num_rows:
        return {}
    return {
        "recall-curve": (
            figures.recall_figure(metrics, untrained),
            "Recall of all copies against the number of neighbours, by exact search, with its 95 % interval. "
            "Near-duplicates in the collection are left out.",
        )
    }


def _evaluation(
    view: SnapshotView, metrics: pa.Table
) -> tuple[dict[str, Any], dict[str, tuple[Figure, str]]]:
    """The content of the sections on conclusion, rankings and neighbours, and their figures."""
    snapshot, plan = view.snapshot, view.plan
    storage = snapshot.storage
    comparisons = storage.read_table(snapshot.comparisons_path)
    near = storage.read_table(snapshot.near_duplicates_path)
    timings = add_heads(read_parts(storage, "timings", schemas.TIMINGS), snapshot)
    names = (view.catalog[column].to_pylist() for column in ("artwork_id", "title"))
    titles = dict(zip(*names, strict=True))
    ranked = candidates(metrics, plan.spaces, timings, training_seconds(snapshot))
    return evaluation_rows(metrics, comparisons, near, titles, ranked), _cost(ranked)


def _cost(ranked: Sequence[Candidate]) -> dict[str, tuple[Figure, str]]:
    if not any(candidate.images_per_second for candidate in ranked):
        return {}
    caption = (
        "Quality against cost: mean average precision of all copies with its 95 % interval, over the images that "
        "one actor embedded per second in this root's own runs. Areas are as the bytes of a vector; hollow marks "
        "are untrained networks or the study's mode."
    )
    return {"quality-cost": (figures.cost_figure(ranked), caption)}
