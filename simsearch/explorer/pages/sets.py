"""The sets that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.page import Page
from simsearch.reading import sets, stored_sets
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.stored_sets import StoredSet
from simsearch.reading.view import SnapshotView


@dataclass(frozen=True)
class SetsPage(Page):
    """The sets that are `kept`, and the `first` artworks of each by its id; the ids of `damaged` ones."""

    template: ClassVar[str] = "sets"

    kept: list[StoredSet]
    first: dict[str, list[ViewArtwork]]
    damaged: list[str]
    most: int
    may_keep: bool


def sets_page(view: SnapshotView, *, may_keep: bool) -> SetsPage:
    kept, damaged = stored_sets.list_sets(view.snapshot.storage)
    first = {entry.set_id: stored_sets.numbers_of(view, entry)[0].numbers[:4] for entry in kept}
    return SetsPage(
        kept=kept,
        first={
            set_id: [view.artwork_at(number) for number in numbers]
            for set_id, numbers in first.items()
        },
        damaged=damaged,
        most=sets.MOST,
        may_keep=may_keep,
    )
