"""What came, went and changed since the snapshot before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.derived import since
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings import changes
from simsearch.reading.findings.changes import Redescribed, Since
from simsearch.reading.view import SnapshotView

Pairs = list[tuple[ViewArtwork, ViewArtwork]]


@dataclass(frozen=True)
class Moves:
    """The changes `since` the snapshot before, some artworks of each kind, and `older_to`, the addresses of
    that snapshot."""

    since: Since
    older_to: Addresses
    came: list[ViewArtwork]
    went: list[ViewArtwork]
    changed: Pairs
    renamed: Pairs
    redescribed: list[Redescribed]


@dataclass(frozen=True)
class ChangesPage(Page):
    """`moves` is None for the first snapshot under its root."""

    template: ClassVar[str] = "findings/changes"

    moves: Moves | None


def changes_page(
    site: Site, view: SnapshotView, addresses_of: Callable[[SnapshotView], Addresses]
) -> ChangesPage:
    moved = since(site, view)
    if moved is None:
        return ChangesPage(None)
    works, older = moved.changes.artworks, moved.older
    same = [(artwork_id, artwork_id) for artwork_id in works.changed]
    return ChangesPage(
        Moves(
            since=moved,
            older_to=addresses_of(older),
            came=changes.find_shown(view, works.added),
            went=changes.find_shown(older, works.removed),
            changed=changes.pairs(older, view, same),
            renamed=changes.pairs(older, view, works.renamed),
            redescribed=changes.find_redescribed(older, view, works.described_anew),
        )
    )
