"""A run's outcome as Prometheus metrics: to a textfile, to a Pushgateway, or served over HTTP."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway, write_to_textfile

from simsearch.runs.record import RunRecord
from simsearch.settings.sections.operation import MonitoringConfig

OUTCOMES = ("published", "unchanged", "failed", "refused", "interrupted")


class RunMetrics:
    """The last run in a registry; set anew by every run record."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(f"simsearch_{name}", words, labels, registry=self.registry)

        self._outcome = gauge("run_outcome", "1 for how the last run ended", "outcome")
        self._ended = gauge("run_ended_timestamp_seconds", "When the last run ended")
        self._succeeded = gauge("run_succeeded_timestamp_seconds", "When a run last succeeded")
        self._seconds = gauge("run_duration_seconds", "How long the last run took")
        self._artworks = gauge("artworks", "Artworks in the catalog")
        self._images = gauge("images", "Images with vectors, copies included")
        self._rejects = gauge("rejects", "Artworks without vectors")
        self._changes = gauge("artwork_changes", "Artworks changed by the last run", "kind")
        self._step_seconds = gauge("step_duration_seconds", "How long a step took", "step")
        self._step_items = gauge("step_items", "What a step worked on", "step", "unit")
        self._recall = gauge("recall", "Mean recall of perturbed copies, exact", "space", "k")

    def set(self, record: RunRecord) -> None:
        """Show the record of a run that has ended; figures that it lacks keep their last value."""
        assert record.ended is not None
        assert record.seconds is not None
        ended = datetime.fromisoformat(record.ended).timestamp()
        for outcome in OUTCOMES:
            self._outcome.labels(outcome).set(outcome == record.outcome)
        self._ended.set(ended)
        self._seconds.set(record.seconds)
        if record.outcome in ("published", "unchanged"):
            self._succeeded.set(ended)
        for gauge, name in (
            (self._artworks, "artworks"),
            (self._images, "images"),
            (self._rejects, "rejects"),
        ):
            if (value := getattr(record, name)) is not None:
                gauge.set(value)
        for kind, count in record.changes.items():
            self._changes.labels(kind).set(count)
        for step in record.steps:
            self._step_seconds.labels(step.name).set(step.seconds)
            self._step_items.labels(step.name, step.unit).set(step.items)
        for row in record.recovery:
            self._recall.labels(row["space"], row["k"]).set(row["recall"])


def export(config: MonitoringConfig, record: RunRecord) -> None:
    """Write or push a run record's metrics where configured. Raises OSError."""
    if config.prometheus_textfile is None and config.pushgateway is None:
        return
    metrics = RunMetrics()
    metrics.set(record)
    if config.prometheus_textfile is not None:
        write_to_textfile(config.prometheus_textfile, metrics.registry)
    if config.pushgateway is not None:
        push_to_gateway(config.pushgateway, job="simsearch", registry=metrics.registry, timeout=10)
