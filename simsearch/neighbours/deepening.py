"""The second search, in every space, for lists that are too short without near-duplicates."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import ray

from simsearch import schemas
from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours
from simsearch.neighbours.deeper import Deeper, DeepSearch, find_too_short
from simsearch.neighbours.earlier import AMONG, column_of, read_lists
from simsearch.neighbours.lists import Items, Lists
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.storage.growing import GrowingTable

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 512


def deepen_all(
    shared: ray.ObjectRef[NumberedImages], lists_of: Mapping[str, StoredLists], seed: int
) -> None:
    """Search again, in every space, for originals whose lists are too short to be scored once the
    near-duplicates of `shared` are left out. `StoredLists.ranked` reads the new lists."""
    pending = {
        space: _deepen.remote(shared, lists, lists.tie_seed(seed))
        for space, lists in lists_of.items()
    }
    for space, task in pending.items():
        if count := ray.get(task):
            log.info(
                "evaluate: %s: %s lists searched deeper, as near-duplicates fill them",
                space,
                f"{count:,}",
            )


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _deepen(numbered: NumberedImages, stored: StoredLists, seed: int) -> int:
    """Store the deeper lists of a space. Returns the number of new lists among all images."""
    units = stored.index().units
    originals = numbered.originals
    whole = [read_lists(stored.snapshot, stored.space, name) for name in AMONG]
    images = whole[0].first(stored.depth)
    rows = _short(numbered, images, stored.needed, _following(whole[0], stored.depth))
    _store(
        stored, AMONG[0], _exact(numbered, units, np.arange(len(units)), rows, stored.depth, seed)
    )
    depth = stored.depth_among_originals
    alone = whole[1].first(depth)
    needed = min(NEIGHBOURHOOD_KS[-1], depth)
    short = _short(numbered, alone, needed, _following(whole[1], depth))
    _store(stored, AMONG[1], _exact(numbered, units, originals, short, depth, seed))
    return len(rows)


def _following(lists: Lists, depth: int) -> Vectors:
    """The distance of the image after the first `depth` of each list, or the list's horizon if that is
    smaller: no image that is missing in the list is nearer than its horizon. ∞ if no image follows."""
    following = lists.squared[:, depth] if depth < lists.squared.shape[1] else lists.horizon
    return np.asarray(np.sqrt(np.minimum(following, lists.horizon)), dtype=np.float32)


def _short(numbered: NumberedImages, lists: Neighbours, needed: int, following: Vectors) -> Items:
    return find_too_short(lists, numbered.near_to(lists.items), needed, following)


def _exact(
    numbered: NumberedImages, units: Vectors, among: Items, rows: Items, width: int, seed: int
) -> Iterator[Deeper]:
    """The deeper lists of the originals at places `rows`, piece by piece."""
    if not len(rows):
        return
    search = DeepSearch(units, among, seed)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        queries = numbered.originals[part]
        left_out = [numbered.near_items(row) for row in part.tolist()]
        own = [
            np.flatnonzero(numbered.artworks == artwork) for artwork in numbered.artworks[queries]
        ]
        yield Deeper(part, *search(queries, left_out, own, width))


def _store(stored: StoredLists, name: str, pieces: Iterator[Deeper]) -> None:
    width = stored.depth_among_originals if name == AMONG[1] else stored.depth
    schema = schemas.deeper_lists(max(1, width))
    with GrowingTable(stored.snapshot.storage, stored.deeper_path(name)) as table:
        table.append(schema.empty_table())
        for piece in pieces:
            lists = piece.neighbours
            columns = [piece.rows, column_of(lists.items), column_of(lists.distances), piece.beyond]
            table.append(pa.table(columns, schema=schema))
