"""The snapshots, and how the one that is shown was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import since
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading import downloads
from simsearch.reading.findings.changes import Since
from simsearch.reading.library import Listed
from simsearch.reading.networks import IndexedNetwork, indexed_networks
from simsearch.reading.runs import RejectGroup, reject_groups, steps_of
from simsearch.reading.view import SnapshotView
from simsearch.settings.shown_places import show_settings
from simsearch.snapshots.step_record import StepRecord


@dataclass(frozen=True)
class RunsPage(Page):
    """`since` is None for the first snapshot under its root; `settings` are YAML."""

    template: ClassVar[str] = "runs"

    snapshots: list[Listed]
    since: Since | None
    networks: list[IndexedNetwork]
    reject_groups: list[RejectGroup]
    steps: list[StepRecord]
    environment: dict[str, str]
    settings: str
    table_names: list[str]


def runs_page(site: Site, view: SnapshotView) -> RunsPage:
    return RunsPage(
        snapshots=site.library.listed(),
        since=since(site, view),
        networks=indexed_networks(view.snapshot),
        reject_groups=reject_groups(view),
        steps=steps_of(view),
        environment=view.manifest["environment"],
        settings=show_settings(view.plan.settings),
        table_names=downloads.table_names(view),
    )
