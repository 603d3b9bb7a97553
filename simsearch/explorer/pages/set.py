"""A set of artworks: as a wall and as a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.addresses import Value
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import PAGE_SIZE
from simsearch.reading import sets
from simsearch.reading.artworks import Neighbour, ViewArtwork
from simsearch.reading.iiif_manifest import MOST as MOST_IN_MANIFEST
from simsearch.reading.set_query import nearest_to_all
from simsearch.reading.sets import ArtworkSet
from simsearch.reading.view import SnapshotView

NEAREST = 12  # artworks per space
MOST_TO_SORT = 500  # artworks of a set of which single ones can be left out: each has an address


@dataclass(frozen=True)
class SetChange:
    """The last change of a stored set: the id of an artwork `left_out`, or its former name; "": no such
    change."""

    left_out: str = ""
    was: str = ""


@dataclass(frozen=True)
class SetPage(PagedPage):
    """`gone` counts a kept set's artworks that the snapshot does not hold; `stored` is the name that the
    set is kept under (None: its address holds it), `state` the set as addresses have it. `left_out` and
    `was` offer to take back what was just done. `without` has, for each artwork shown, the rest of the
    set as text for an address. `nearest` are the nearest to all of the set by space."""

    template: ClassVar[str] = "set"

    chosen: ArtworkSet
    gone: int
    left_out: ViewArtwork | None
    was: str
    stored: str | None
    state: dict[str, Value]
    artworks: list[ViewArtwork]
    without: dict[int, str]
    nearest: dict[str, list[tuple[Neighbour, ViewArtwork]]]
    in_manifest: bool
    most_in_manifest: int
    may_keep: bool


def set_page(
    view: SnapshotView,
    chosen: ArtworkSet,
    gone: int,
    stored: str | None,
    page: int,
    change: SetChange,
    *,
    may_keep: bool,
) -> SetPage:
    """The page of a set. The `change` is offered to be taken back unless it has been."""
    number = view.number_of(change.left_out)
    left_out = None if number is None or number in chosen.numbers else view.artwork_at(number)
    paging = page_of(len(chosen.numbers), page, PAGE_SIZE)
    shown = chosen.numbers[paging.part]
    return SetPage(
        paging=paging,
        chosen=chosen,
        gone=gone,
        left_out=left_out,
        was=change.was if change.was != chosen.name else "",
        stored=stored,
        state={"set_id": stored} if stored else {"ids": chosen.text, "name": chosen.name},
        artworks=[view.artwork_at(number) for number in shown],
        without={} if stored else _without(chosen.numbers, shown),
        nearest={
            space: [
                (neighbour, view.artwork_of(neighbour.item))
                for neighbour in nearest_to_all(view, space, chosen.numbers, NEAREST)
            ]
            for space in (view.spaces if chosen.numbers else ())
        },
        in_manifest=len(chosen.numbers) <= MOST_IN_MANIFEST,
        most_in_manifest=MOST_IN_MANIFEST,
        may_keep=may_keep,
    )


def _without(numbers: Sequence[int], shown: Sequence[int]) -> dict[int, str]:
    """For each shown artwork, the rest of the set as text for an address. Empty for a large set, and for a
    set of one artwork."""
    if not 1 < len(numbers) <= MOST_TO_SORT:
        return {}
    return {left_out: sets.encode(n for n in numbers if n != left_out) for left_out in shown}
