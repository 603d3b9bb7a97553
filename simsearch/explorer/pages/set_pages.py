"""The values of the sets' pages: one set as a wall and as a query, and all stored sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import PAGE_SIZE
from simsearch.reading import sets, stored_sets
from simsearch.reading.iiif_manifest import MOST as MOST_IN_MANIFEST
from simsearch.reading.set_query import nearest_to_all
from simsearch.reading.sets import ArtworkSet
from simsearch.reading.view import SnapshotView

NEAREST = 12  # artworks per space
MOST_TO_SORT = (
    500  # artworks of a set from which single ones can be left out, as each needs an address
)


@dataclass(frozen=True)
class SetChange:
    """The last change of a stored set: the id of an artwork `left_out`, or its former name; "": no such
    change."""

    left_out: str = ""
    was: str = ""


def one_set(
    view: SnapshotView,
    chosen: ArtworkSet,
    gone: int,
    stored: str | None,
    page: int,
    change: SetChange,
) -> dict[str, Any]:
    """The values of a set's page. `gone` is the number of a stored set's artworks that this snapshot does not
    hold. The page offers to undo the `change`, unless that has been undone."""
    number = view.number_of(change.left_out)
    left_out = None if number is None or number in chosen.numbers else view.artwork_at(number)
    page, count, part = page_of(len(chosen.numbers), page, PAGE_SIZE)
    state = {"set_id": stored} if stored else {"ids": chosen.text, "name": chosen.name}
    return {
        "chosen": chosen,
        "gone": gone,
        "left_out": left_out,
        "was": change.was if change.was != chosen.name else "",
        "stored": stored,
        "state": state,
        "page": page,
        "page_count": count,
        "artworks": [view.artwork_at(number) for number in chosen.numbers[part]],
        "without": {} if stored else _without(chosen.numbers, chosen.numbers[part]),
        "answers": {
            space: [
                (neighbour, view.artwork_of(neighbour.item))
                for neighbour in nearest_to_all(view, space, chosen.numbers, NEAREST)
            ]
            for space in view.spaces
        },
        "in_manifest": len(chosen.numbers) <= MOST_IN_MANIFEST,
        "most_in_manifest": MOST_IN_MANIFEST,
    }


def _without(numbers: Sequence[int], shown: Sequence[int]) -> dict[int, str]:
    """For each shown artwork, the rest of the set as text for an address. Empty for a large set, and for a
    set of one artwork."""
    if not 1 < len(numbers) <= MOST_TO_SORT:
        return {}
    return {left_out: sets.encode(n for n in numbers if n != left_out) for left_out in shown}


def all_sets(view: SnapshotView) -> dict[str, Any]:
    stored, damaged = stored_sets.list_sets(view.snapshot.storage)
    first = {entry.set_id: stored_sets.numbers_of(view, entry)[0].numbers[:4] for entry in stored}
    return {
        "damaged": damaged,
        "kept": stored,
        "first": {
            set_id: [view.artwork_at(number) for number in numbers]
            for set_id, numbers in first.items()
        },
        "most": sets.MOST,
    }
