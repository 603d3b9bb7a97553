"""Who is near whom: every original's neighbours in every space, and the near-duplicates among them."""

from __future__ import annotations

from simsearch.features.collapse import spread_rows
from simsearch.neighbours.near_duplicates import find_near_duplicates
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.search import search_all
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.progress import Advance
from simsearch.snapshots.snapshot import Snapshot


def find_neighbours(snapshot: Snapshot, previous: Snapshot | None, advance: Advance) -> None:
    """Store neighbours, near-duplicates and how far each space tells pictures apart.

    `previous`: a snapshot whose neighbour lists are carried over, with the same result. `advance` is
    told the number of queries answered so far, over all spaces and both searches.
    """
    plan, images = snapshot.plan(), snapshot.images()
    numbered = NumberedImages.of(images, plan.profiles)
    lists_of = StoredLists.of_all(snapshot, plan, numbered)
    search_all(lists_of, plan, images, numbered, previous, advance)
    ids = images["artwork_id"].to_numpy()[numbered.originals]
    duplicates = find_near_duplicates(plan, ids, numbered, lists_of)
    snapshot.storage.write_table(snapshot.spreads_path, spread_rows(duplicates.spreads))
    # Last: it says that the neighbours are whole.
    snapshot.storage.write_table(snapshot.near_duplicates_path, duplicates.table)
