"""A run's outcome as Prometheus metrics: to a textfile, to a Pushgateway, or served over HTTP."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, pushadd_to_gateway, write_to_textfile

from simsearch.runs.record import SUCCESSES, RunRecord
from simsearch.runtime.background import run_within
from simsearch.settings.sections.operation import MonitoringConfig

EXPORT_SECONDS = 30.0  # after which a gateway that drips its answer is given up
SUCCEEDED = "simsearch_run_succeeded_timestamp_seconds"
FIGURES = {
    "artworks": "Artworks in the catalog",
    "images": "Images with vectors, copies included",
    "rejects": "Artworks without vectors",
}
OUTCOMES = ("published", "unchanged", "failed", "refused", "interrupted")


class RunMetrics:
    """The last run as a registry of metrics, which every run record sets anew."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(f"simsearch_{name}", words, labels, registry=self.registry)

        self._outcome = gauge("run_outcome", "1 for how the last run ended", "outcome")
        self._ended = gauge("run_ended_timestamp_seconds", "When the last run ended")
        self._seconds = gauge("run_duration_seconds", "How long the last run took")
        self._known: dict[str, Gauge] = {}
        self._changes = gauge("artwork_changes", "Artworks changed by the last run", "kind")
        self._step_seconds = gauge("step_duration_seconds", "How long a step took", "step")
        self._step_items = gauge("step_items", "What a step worked on", "step", "unit")
        self._recall = gauge("recall", "Mean recall of perturbed copies, exact", "space", "k")

    def set(self, record: RunRecord, last_success: RunRecord | None = None) -> None:
        """Show the record of a run that has ended. Figures that it lacks are those of the last success,
        or keep their values."""
        if last_success is not None and record.outcome not in SUCCESSES:
            self._show(last_success)
        self._show(record)

    def _show(self, record: RunRecord) -> None:
        assert record.ended is not None
        ended = datetime.fromisoformat(record.ended).timestamp()
        for outcome in OUTCOMES:
            self._outcome.labels(outcome).set(outcome == record.outcome)
        self._ended.set(ended)
        self._seconds.set(record.seconds or 0.0)
        if record.outcome in SUCCESSES:
            self._succeeded().set(ended)
        for name in FIGURES:
            if (value := getattr(record, name)) is not None:
                self._figure(name).set(value)
        for kind, count in record.changes.items():
            self._changes.labels(kind).set(count)
        for step in record.steps:
            self._step_seconds.labels(step.name).set(step.seconds)
            self._step_items.labels(step.name, step.unit).set(step.items)
        for row in record.recovery:
            self._recall.labels(row["space"], row["k"]).set(row["recall"])

    def keep_success(self, when: float) -> None:
        """Show a time of the last success, unless the records have given one."""
        if "run_succeeded_timestamp_seconds" not in self._known:
            self._succeeded().set(when)

    def _succeeded(self) -> Gauge:
        return self._plain("run_succeeded_timestamp_seconds", "When a run last succeeded")

    def _figure(self, name: str) -> Gauge:
        return self._plain(name, FIGURES[name])

    def _plain(self, name: str, words: str) -> Gauge:
        """A gauge that exists only once its value is known: 0 would replace the value in a gateway."""
        if name not in self._known:
            self._known[name] = Gauge(f"simsearch_{name}", words, registry=self.registry)
        return self._known[name]


def export(
    config: MonitoringConfig, record: RunRecord, last_success: RunRecord | None
) -> list[str]:
    """Write and push a run record's metrics if configured. Returns a line for each problem.

    A failed run removes no figure. The gateway keeps the figures that this run does not know. The file gets
    the figures of `last_success` or, if that is not known, keeps its former time of success.
    """
    metrics = RunMetrics()
    metrics.set(record, last_success)
    problems = []
    for place, send in (
        (config.prometheus_textfile, lambda: _write(config, metrics, last_success)),
        (config.pushgateway, lambda: _push(config, metrics)),
    ):
        if place is None:
            continue
        try:
            run_within(EXPORT_SECONDS, send)
        except Exception as error:  # noqa: BLE001  (whatever answers at an address, or none)
            detail = " ".join(str(error).split()) or type(error).__name__
            problems.append(f"{place}: the metrics could not be exported: {detail}")
    return problems


def _write(config: MonitoringConfig, metrics: RunMetrics, last_success: RunRecord | None) -> None:
    path = str(config.prometheus_textfile)
    if last_success is None and (former := _former_success(path)) is not None:
        metrics.keep_success(former)
    write_to_textfile(path, metrics.registry)


def _former_success(path: str) -> float | None:
    """The time of the last success in a metrics file. None if it has none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(rf"^{SUCCEEDED} (\S+)$", text, re.MULTILINE)
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


def _push(config: MonitoringConfig, metrics: RunMetrics) -> None:
    # Pushed series are added. Other series of the group stay.
    pushadd_to_gateway(
        str(config.pushgateway), job="simsearch", registry=metrics.registry, timeout=10
    )
