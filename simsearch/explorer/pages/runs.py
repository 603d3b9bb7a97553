"""The snapshots, and how the one that is shown was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import since
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.features.space import FeatureSpace
from simsearch.indexes.index import IndexManifest, read_manifest
from simsearch.reading import downloads
from simsearch.reading.findings.changes import Since
from simsearch.reading.library import Listed
from simsearch.reading.runs import RejectGroup, reject_groups, steps_of
from simsearch.reading.view import SnapshotView
from simsearch.settings.shown_places import show_settings
from simsearch.snapshots.step_record import StepRecord


@dataclass(frozen=True)
class NetworkEntry:
    """A space, the `reason` for its precision, and its index."""

    space: FeatureSpace
    reason: str
    index: IndexManifest


@dataclass(frozen=True)
class RunsPage(Page):
    """`since` is None for the first snapshot under its root; `settings` are YAML."""

    template: ClassVar[str] = "runs"

    snapshots: list[Listed]
    since: Since | None
    networks: list[NetworkEntry]
    reject_groups: list[RejectGroup]
    steps: list[StepRecord]
    environment: dict[str, str]
    settings: str
    table_names: list[str]


def runs_page(site: Site, view: SnapshotView) -> RunsPage:
    return RunsPage(
        snapshots=site.library.listed(),
        since=since(site, view),
        networks=[_network(view, space) for space in view.plan.spaces],
        reject_groups=reject_groups(view),
        steps=steps_of(view),
        environment=view.manifest["environment"],
        settings=show_settings(view.plan.settings),
        table_names=downloads.table_names(view),
    )


def _network(view: SnapshotView, space: FeatureSpace) -> NetworkEntry:
    snapshot = view.snapshot
    return NetworkEntry(
        space,
        view.plan.precision_reasons.get(space.name, ""),
        read_manifest(snapshot.storage, snapshot.index_folder(space.name)),
    )
