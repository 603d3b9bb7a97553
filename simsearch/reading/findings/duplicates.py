"""Near-duplicates: the stored pairs, gathered into groups to look through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simsearch.errors import NotFoundError
from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import SnapshotView

COMPARED = (
    ("title", "title"),
    ("artists", "artist"),
    ("date", "date"),
    ("medium", "medium"),
    ("dimensions", "dimensions"),
    ("department", "department"),
    ("classification", "classification"),
    ("credit", "credit"),
)
"""Catalog columns that show the odd entry of a group, and their names on the page."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class DuplicatePair:
    """Two artworks, by number, and their cosines in the spaces that judge near-duplicates."""

    first: int
    second: int
    scores: dict[str, float]

    @property
    def score(self) -> float:
        """The mean cosine over the spaces. 1 means the same picture."""
        return float(np.mean(list(self.scores.values())))


@dataclass(frozen=True)
class DuplicateGroup:
    """Artworks connected by near-duplicate pairs, with the nearest pair first."""

    members: tuple[int, ...]
    pairs: tuple[DuplicatePair, ...]


@dataclass(frozen=True)
class Entry:
    """An artwork of a group as the page shows it. `same_file`: another artwork of the group has the same
    bytes. `differs`: its catalog entry's values in columns where the group's entries differ."""

    artwork: ViewArtwork
    same_file: bool
    differs: tuple[tuple[str, str], ...]


def duplicate_groups(view: SnapshotView) -> list[DuplicateGroup] | None:
    """The groups, from the one with the nearest pair on. None if the snapshot has no such table."""
    try:
        table = view.snapshot.storage.read_table(view.snapshot.near_duplicates_path)
    except NotFoundError:
        return None
    scores: dict[Pair, dict[str, float]] = {}
    for row in table.to_pylist():
        first, second = view.number_of(row["artwork_id"]), view.number_of(row["other_id"])
        if first is not None and second is not None:
            scores.setdefault((first, second), {})[row["space"]] = cosine(row["distance"])
    pairs = [DuplicatePair(*pair, by_space) for pair, by_space in scores.items()]
    pairs.sort(key=lambda pair: (-pair.score, pair.first, pair.second))
    group_of = _gathered([(pair.first, pair.second) for pair in pairs])
    grouped: dict[int, list[DuplicatePair]] = {}
    for pair in pairs:
        grouped.setdefault(group_of[pair.first], []).append(pair)
    return [_group(members) for members in grouped.values()]


def _group(pairs: list[DuplicatePair]) -> DuplicateGroup:
    members = dict.fromkeys(number for pair in pairs for number in (pair.first, pair.second))
    return DuplicateGroup(tuple(members), tuple(pairs))


def _gathered(pairs: list[Pair]) -> dict[int, int]:
    """The group of each number in the pairs, named by the smallest connected number."""
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        parent.setdefault(number, number)
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    for first, second in pairs:
        smaller, larger = sorted((root(first), root(second)))
        parent[larger] = smaller
    return {number: root(number) for number in list(parent)}


def entries(view: SnapshotView, group: DuplicateGroup) -> list[Entry]:
    """The group's artworks, with the differences of their catalog entries."""
    artworks = [view.artwork_at(number) for number in group.members]
    hashes = [artwork.content_hash for artwork in artworks]
    values_of = {
        words: [_text(artwork.row.get(column)) for artwork in artworks]
        for column, words in COMPARED
    }
    telling = [words for words, values in values_of.items() if len(set(values)) > 1]
    return [
        Entry(
            artwork,
            hashes.count(artwork.content_hash) > 1,
            tuple((words, values_of[words][place] or "not given") for words in telling),
        )
        for place, artwork in enumerate(artworks)
    ]


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")
