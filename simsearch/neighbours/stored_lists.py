"""A space's neighbour lists in storage, shared by the tasks that search and the tasks that score."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from simsearch.indexes.exact import Neighbours
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.neighbours.deeper import Deeper
from simsearch.neighbours.earlier import AMONG, matrix_of, read_lists
from simsearch.neighbours.lists import Items
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot

# Ranks searched beyond the scored ones. Few originals have more near-duplicates. For those the search is
# repeated (`deepen_all`).
SPARE_RANKS = 50


@dataclass(frozen=True)
class StoredLists:
    """A space's neighbour lists for every original, in storage. The tasks that need them read them there, so
    that no process and no object store holds the lists of all spaces."""

    snapshot: Snapshot
    space: str
    depth: int  # of exact lists among all images
    depth_among_originals: int  # of exact lists among the originals
    depth_by_index: int  # of the index's lists: as many as a user is shown
    needed: int  # images of an exact list that are scored, without near-duplicates

    @classmethod
    def of_all(
        cls, snapshot: Snapshot, plan: Plan, numbered: NumberedImages
    ) -> dict[str, StoredLists]:
        """The lists of every space, by its name."""
        images, originals = len(numbered.artworks), len(numbered.originals)
        scored = plan.settings.evaluate.depth + len(plan.profiles) if plan.profiles else 0
        needed = max(scored, plan.settings.evaluate.neighbours)
        depth = min(needed + SPARE_RANKS, images - 1)
        among_originals = min(NEIGHBOURHOOD_KS[-1] + SPARE_RANKS, originals - 1)
        by_index = max(1, min(plan.settings.evaluate.neighbours, images - 1))
        return {
            space.name: cls(snapshot, space.name, depth, among_originals, by_index, needed)
            for space in plan.spaces
        }

    def by_index(self) -> Neighbours:
        """The neighbours [originals, depth_by_index] among all images that the index finds."""
        table = self.snapshot.storage.read_table(self.annoy_path)
        return Neighbours(*(matrix_of(table, name) for name in ("items", "distances")))

    def among_originals(self) -> Neighbours:
        """The neighbours [originals, depth_among_originals] among the originals only, by exact search."""
        return read_lists(self.snapshot, self.space, AMONG[1]).first(self.depth_among_originals)

    def ranked(self) -> tuple[Neighbours, Items]:
        """The neighbours [originals, depth] among all images by exact search, with the lists that
        `deepen_all` searched again. Also the number [originals] of further images as far as the last."""
        lists = read_lists(self.snapshot, self.space, AMONG[0]).first(self.depth)
        return self._deepened(lists, AMONG[0])

    def ranked_originals(self) -> Neighbours:
        """`among_originals` with the lists that `deepen_all` searched again."""
        return self._deepened(self.among_originals(), AMONG[1])[0]

    def _deepened(self, lists: Neighbours, name: str) -> tuple[Neighbours, Items]:
        table = self.snapshot.storage.read_table(self.deeper_path(name))
        if not table.num_rows:
            return lists, np.zeros(len(lists.items), np.int64)
        items, distances = (matrix_of(table, column) for column in ("items", "distances"))
        rows, beyond = (table[column].to_numpy() for column in ("row", "beyond"))
        return Deeper(rows, Neighbours(items, distances), beyond).over(lists)

    def tie_seed(self, seed: int) -> int:
        """The seed of the order of ties. Each space has its own, so that ties make no two spaces agree."""
        return zlib.crc32(f"{seed} {self.space}".encode())

    def index(self) -> OpenIndex:
        """The space's index. Its files are trusted, as this run has just written them."""
        space = self.snapshot.plan().space(self.space)
        folder = self.snapshot.index_folder(self.space)
        return open_index(self.snapshot.storage, folder, space.fingerprint, verify=False)

    @property
    def annoy_path(self) -> str:
        return self.snapshot.lists_path(self.space, "annoy")

    def deeper_path(self, name: str) -> str:
        """The path of the lists that `deepen_all` searched again. `name` is one of AMONG."""
        return self.snapshot.lists_path(self.space, _deeper(name))


def forget_lists(snapshot: Snapshot) -> None:
    """Remove the lists that only the steps of one run need."""
    for space in snapshot.plan().spaces:
        for name in ("annoy", *map(_deeper, AMONG)):
            snapshot.storage.delete(snapshot.lists_path(space.name, name))


def _deeper(name: str) -> str:
    return f"deeper-{name}"
