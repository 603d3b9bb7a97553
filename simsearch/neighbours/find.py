"""Find every original's neighbours in every space, and the near-duplicates among the originals."""

from __future__ import annotations

from simsearch.features.collapse import spread_rows
from simsearch.neighbours.near_duplicates import find_near_duplicates
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.search import search_all
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.progress import Advance
from simsearch.snapshots.snapshot import Snapshot


def find_neighbours(snapshot: Snapshot, previous: Snapshot | None, advance: Advance) -> None:
    """Store neighbours, near-duplicates, and how well each space distinguishes pictures.

    Neighbour lists of the snapshot `previous` are carried over, with the same result. `advance` gets the
    number of finished queries, over all spaces and both searches.
    """
    plan, images = snapshot.plan(), snapshot.images()
    numbered = NumberedImages.of(images, plan.profiles)
    lists_of = StoredLists.of_all(snapshot, plan, numbered)
    search_all(lists_of, plan, images, numbered, previous, advance)
    ids = images["artwork_id"].to_numpy()[numbered.originals]
    duplicates = find_near_duplicates(plan, ids, numbered, lists_of)
    snapshot.storage.write_table(snapshot.spreads_path, spread_rows(duplicates.spreads))
    # Stored last: this table says that the neighbours are complete.
    snapshot.storage.write_table(snapshot.near_duplicates_path, duplicates.table)
