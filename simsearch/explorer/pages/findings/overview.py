"""All findings, each in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import (
    compared_spaces,
    confusers_of,
    details_of,
    groups_of,
    learned_of,
    placeholders_of,
    since,
)
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.changes import Since
from simsearch.reading.findings.placeholders import Placeholder
from simsearch.reading.view import SnapshotView


@dataclass(frozen=True)
class OverviewPage(Page):
    """`groups` counts the near-duplicates, None where the snapshot does not list them; `two_houses`
    those with works of different departments, of which the first examples are. `left_out` counts the
    works that the `placeholders` stand for. `learned` are spaces that learned, `compared` those that can
    disagree. `details` counts the parts that return in different pictures, `confusers` those at one place in
    many. `since` is None for the first snapshot under its root."""

    template: ClassVar[str] = "findings/overview"

    groups: int | None
    group_examples: list[ViewArtwork]
    two_houses: int
    details: int
    confusers: int
    placeholders: dict[str, Placeholder]
    left_out: int
    learned: list[str]
    compared: tuple[str, ...]
    since: Since | None


def overview_page(site: Site, view: SnapshotView) -> OverviewPage:
    groups = groups_of(site, view)
    placeholders = placeholders_of(site, view)
    return OverviewPage(
        groups=None if groups is None else len(groups),
        group_examples=[
            view.artwork_at(n) for group in (groups or [])[:2] for n in group.members[:2]
        ],
        two_houses=sum(group.two_houses for group in groups or []),
        details=len(details_of(site, view)),
        confusers=len(confusers_of(site, view)),
        placeholders=placeholders,
        left_out=sum(placeholder.count for placeholder in placeholders.values()),
        learned=sorted({learned.space for learned in learned_of(site, view)}),
        compared=compared_spaces(view),
        since=since(site, view),
    )
