"""Find every original's neighbours in every space."""

from __future__ import annotations

from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.search import search_all
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.progress import Advance
from simsearch.snapshots.snapshot import Snapshot


def find_neighbours(snapshot: Snapshot, previous: Snapshot | None, advance: Advance) -> None:
    """Store the neighbours.

    Neighbour lists of the snapshot `previous` are carried over, with the same result. `advance` gets the
    number of finished queries, over all spaces and both searches.
    """
    plan, images = snapshot.plan(), snapshot.images()
    numbered = NumberedImages.of(images, plan.profiles)
    lists_of = StoredLists.of_all(snapshot, plan, numbered)
    search_all(lists_of, plan, images, numbered, previous, advance)
