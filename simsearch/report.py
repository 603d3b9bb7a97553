"""The report of a snapshot: one self-contained HTML file, its figures as PNG and SVG beside it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jinja2
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure
from PIL import Image

from simsearch import catalog, images
from simsearch.config import Config, dump_config
from simsearch.errors import StorageError
from simsearch.evaluation import figures
from simsearch.evaluation.evaluate import metrics_path
from simsearch.evaluation.figures import Shown, shortened
from simsearch.evaluation.metrics import STUDY_METRICS
from simsearch.evaluation.search import neighbours_path
from simsearch.index import read_manifest
from simsearch.perturbations import get_profile, perturb
from simsearch.sampling import seeded_sample
from simsearch.snapshots import Plan, Snapshot
from simsearch.storage import read_uri

NEIGHBOURS_SHOWN = 5

Steps = Sequence[Mapping[str, Any]]


def report_path(snapshot: Snapshot) -> str:
    return snapshot.path("report/report.html")


def write_report(
    config: Config, snapshot: Snapshot, steps: Steps, environment: Mapping[str, str]
) -> None:
    """Store the report and figures of an evaluated snapshot.

    Raises NotFoundError when a step before it has not run.
    """
    plan = snapshot.plan()
    metrics = snapshot.storage.read_table(metrics_path(snapshot))
    untrained = untrained_of(plan)
    charts = _charts(metrics, untrained)
    pictures = _pictures(config, snapshot, plan)
    sources = {}
    for name, (figure, _) in {**charts, **pictures}.items():
        for kind, data in figures.save(figure).items():
            snapshot.storage.write_bytes(snapshot.path(f"report/{name}.{kind}"), data)
            if kind == "png":
                sources[name] = "data:image/png;base64," + base64.b64encode(data).decode()
    page = render(
        snapshot_id=snapshot.snapshot_id,
        created=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        plan=plan,
        metrics=metrics,
        networks=_networks(snapshot, plan),
        rejects=_rejects(snapshot.rejects()),
        charts=[{"source": sources[name], "caption": text} for name, (_, text) in charts.items()],
        pictures=[
            {"source": sources[name], "caption": text} for name, (_, text) in pictures.items()
        ],
        steps=steps,
        environment=environment,
        settings=dump_config(config),
    )
    snapshot.storage.write_bytes(report_path(snapshot), page.encode())


def untrained_of(plan: Plan) -> frozenset[str]:
    return frozenset(space.backbone for space in plan.spaces if not space.trained)


def render(
    *,
    snapshot_id: str,
    created: str,
    plan: Plan,
    metrics: pa.Table,
    networks: Sequence[Mapping[str, Any]],
    rejects: Sequence[Mapping[str, Any]],
    charts: Sequence[Mapping[str, str]],
    pictures: Sequence[Mapping[str, str]],
    steps: Steps,
    environment: Mapping[str, str],
    settings: str,
) -> str:
    """The page. Everything that comes from outside is escaped."""
    loader = jinja2.PackageLoader("simsearch")
    page = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    summary = summary_rows(metrics)
    counts = {"artworks": plan.artworks, "images embedded": plan.images, "rejected": plan.rejects}
    if summary:
        counts["originals with copies"] = summary[0]["n"]
    return page.get_template("report.html.j2").render(
        snapshot_id=snapshot_id,
        created=created,
        warnings=warnings_of(plan),
        counts=counts,
        summary=summary,
        by_profile=_profile_rows(metrics),
        ks=sorted(set(_study(metrics)["k"].to_pylist())),
        untrained=untrained_of(plan),
        networks=networks,
        rejects=rejects,
        charts=charts,
        pictures=pictures,
        steps=steps,
        environment=environment,
        settings=settings,
    )


def warnings_of(plan: Plan) -> list[str]:
    """What a reader must know before believing a figure."""
    warnings = []
    if names := sorted(untrained_of(plan)):
        warnings.append(
            f"Untrained weights: {', '.join(names)} ran with random numbers. Their figures say nothing about the trained networks."
        )
    if live := sorted(space.backbone for space in plan.spaces if space.mode == "study-2018"):
        warnings.append(
            f"Live dropout and batch statistics, as in the 2018 study, for comparison only: {', '.join(live)}. "
            "A vector depends on the images in its batch."
        )
    return warnings


@dataclass(frozen=True)
class _Score:
    mean: float
    std: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.std:.3f} [{self.low:.3f}, {self.high:.3f}]"


def summary_rows(metrics: pa.Table) -> list[dict[str, Any]]:
    """Precision, recall and F1 per backbone and k, exact search and Annoy side by side."""
    rows: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in _study(metrics).to_pylist():
        key = (row["backbone"], row["k"], row["metric"])
        entry = rows.setdefault(
            key,
            {
                "backbone": row["backbone"],
                "k": row["k"],
                "metric": "F1" if row["metric"] == "f1" else row["metric"],
                "ceiling": f"{row['ceiling']:.3f}",
                "n": row["n"],
            },
        )
        entry[row["search"]] = _Score(row["mean"], row["std"], row["ci_low"], row["ci_high"])
    return list(rows.values())


def _study(metrics: pa.Table) -> pa.Table:
    return metrics.filter((pc.field("group") == "all") & pc.field("metric").isin(STUDY_METRICS))


def metrics_text(metrics: pa.Table, untrained: frozenset[str]) -> str:
    """The metrics as a table for a terminal: mean ± standard deviation over originals."""
    if not _study(metrics).num_rows:
        return "no perturbed copies were asked for: neighbours only, no recovery to measure"
    lines = [
        f"{'backbone':32} {'k':>3}  {'metric':10} {'exact search':>15} {'Annoy':>15} {'ceiling':>8}"
    ]
    for row in summary_rows(metrics):
        name = row["backbone"] + (" (untrained)" if row["backbone"] in untrained else "")
        exact, annoy = (
            f"{row[search].mean:.3f} ± {row[search].std:.3f}" for search in ("exact", "annoy")
        )
        lines.append(
            f"{name:32} {row['k']:>3}  {row['metric']:10} {exact:>15} {annoy:>15} {row['ceiling']:>8}"
        )
    return "\n".join(lines)


def _profile_rows(metrics: pa.Table) -> list[dict[str, Any]]:
    shares: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
    for row in metrics.filter(pc.field("metric") == "recovered").to_pylist():
        by_k = shares.setdefault((row["backbone"], row["group"]), {})
        by_k.setdefault(row["k"], {})[row["search"]] = row["mean"]
    return [
        {
            "backbone": backbone,
            "profile": profile,
            "shares": [_share(by_k[k]) for k in sorted(by_k)],
        }
        for (backbone, profile), by_k in shares.items()
    ]


def _share(means: Mapping[str, float]) -> str:
    exact, annoy = f"{means['exact']:.3f}", f"{means['annoy']:.3f}"
    return exact if exact == annoy else f"{exact} ({annoy})"


def _networks(snapshot: Snapshot, plan: Plan) -> list[dict[str, Any]]:
    rows = []
    for space in plan.spaces:
        manifest = read_manifest(snapshot.storage, snapshot.index_folder(space.backbone))
        rows.append(
            {
                **space.to_json(),
                "precision_reason": plan.precision_reasons[space.backbone],
                "recall": manifest.recall,
                "search_k": manifest.search_k,
            }
        )
    return rows


def _rejects(rejects: pa.Table) -> list[dict[str, Any]]:
    rows = rejects.to_pylist()
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
    if not _study(metrics).num_rows:
        return {}
    return {
        "curves": (
            figures.curves_figure(metrics, untrained),
            "Precision, recall and F1 against the number of neighbours, by exact search. Bands are one standard "
            "deviation over originals; the dashed line is the ceiling of a perfect search.",
        ),
        "profiles-recovered": (
            figures.profile_figure(metrics, untrained),
            "Share of copies recovered per perturbation profile and backbone.",
        ),
    }


def _pictures(config: Config, snapshot: Snapshot, plan: Plan) -> dict[str, tuple[Figure, str]]:
    rows = {row["image_id"]: row for row in snapshot.images().to_pylist()}
    _, table = catalog.load_catalog(snapshot.storage, plan.catalog_id)
    album = _Album(config, plan, rows, {row["artwork_id"]: row for row in table.to_pylist()})
    copied = [row["artwork_id"] for row in rows.values() if row["profile"] is not None]
    originals = copied or [row["artwork_id"] for row in rows.values()]
    queries = seeded_sample(originals, config.report.examples, config.seed)
    found = {}
    if copied:
        variants = [queries[0], *(f"{queries[0]}--{profile}" for profile in plan.profiles)]
        shown = [
            album.shown(one, rows[one]["profile"] or "original") for one in variants if one in rows
        ]
        found["profiles"] = (
            figures.profiles_figure(shown),
            f"The perturbation profiles on one artwork: {album.title(queries[0])}.",
        )
    for space in plan.spaces:
        name = f"{space.backbone}{'' if space.trained else ' (untrained)'}"
        found[f"examples-{space.fingerprint}"] = (
            figures.examples_figure(
                [album.example(snapshot, space.backbone, one) for one in queries]
            ),
            f"{name}: each original, left, and its nearest images by exact search with their distance. "
            + ("Its perturbed copies are framed in green." if copied else ""),
        )
    return found


@dataclass(frozen=True)
class _Album:
    """Pictures of a snapshot's images, made again from their originals."""

    config: Config
    plan: Plan
    images: Mapping[str, Mapping[str, Any]]
    artworks: Mapping[str, Mapping[str, Any]]

    def title(self, artwork_id: str) -> str:
        return shortened(self.artworks[artwork_id]["title"] or artwork_id, 60)

    def shown(self, identifier: str, caption: str, *, copy: bool = False) -> Shown:
        try:
            return Shown(self._picture(identifier), caption, copy)
        except (StorageError, images.ImageError):
            # Removed since it was embedded; the figure says so in its place.
            return Shown(Image.new("RGB", (64, 64), "#dddddd"), f"{caption}\n(image is gone)", copy)

    def _picture(self, identifier: str) -> Image.Image:
        row = self.images[identifier]
        data = read_uri(self.artworks[row["artwork_id"]]["image_uri"], self.config.storage)
        limits = self.config.images
        picture = images.decode(
            data,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            background=limits.background,
        )
        if row["profile"] is None:
            return picture
        return perturb(
            picture,
            get_profile(row["profile"]),
            reencode_jpeg=self.plan.reencode_jpeg,
            seed=self.plan.seed,
            content_hash=row["content_hash"],
        )

    def example(self, snapshot: Snapshot, backbone: str, query: str) -> list[Shown]:
        path = neighbours_path(snapshot, backbone, "exact")
        nearest = (
            snapshot.storage.read_table(path).filter(pc.field("query_id") == query).to_pylist()
        )
        row = [self.shown(query, shortened(self.artworks[query]["title"] or query))]
        for each in nearest[:NEIGHBOURS_SHOWN]:
            image = self.images[each["neighbour_id"]]
            own = image["artwork_id"] == query
            words = image["profile"] if own else self.artworks[image["artwork_id"]]["title"]
            if not own and image["profile"]:
                words = f"{image['profile']} of {words}"
            caption = f"{shortened(words or image['artwork_id'])}\n{each['distance']:.4f}"
            row.append(self.shown(each["neighbour_id"], caption, copy=own))
        return row
