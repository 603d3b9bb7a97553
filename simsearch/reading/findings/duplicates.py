"""Near-duplicates: the stored pairs, gathered into groups to look through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simsearch.catalog.unknown import UNKNOWN
from simsearch.errors import NotFoundError
from simsearch.neighbours.chance import EXPECTED, read_unseen
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import SnapshotView
from simsearch.schemas import OTHER_PICTURES

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

LISTED = EXPECTED
"""Of the pairs that a run lists, at most so many are expected to be by chance."""


@dataclass(frozen=True)
class DuplicatePair:
    """Two artworks, by number, and what their pictures have in common. `inliers` and `false_alarms` are
    None where both have the same file: see schemas.NEAR_DUPLICATES."""

    first: int
    second: int
    relation: str
    inliers: int | None
    false_alarms: float | None

    @property
    def same_file(self) -> bool:
        return self.inliers is None

    @property
    def evidence(self) -> str:
        """What speaks for the pair, in words."""
        if self.inliers is None:
            return "the same file"
        return f"{self.inliers} points in common"


@dataclass(frozen=True)
class DuplicateGroup:
    """Artworks that hang together by near-duplicate pairs, the surest pair first. `two_houses`: a pair's
    artworks have different departments in the catalog, which a table of several museums uses for these."""

    members: tuple[int, ...]
    pairs: tuple[DuplicatePair, ...]
    two_houses: bool


@dataclass(frozen=True)
class Entry:
    """An artwork of a group as the page shows it. `same_file`: another artwork of the group has the same
    bytes. `differs`: its catalog entry's values in columns where the group's entries differ."""

    artwork: ViewArtwork
    same_file: bool
    differs: tuple[tuple[str, str], ...]


def duplicate_groups(view: SnapshotView, expected: float = LISTED) -> list[DuplicateGroup] | None:
    """The groups, those in two houses first, then that of the surest pair; None where the snapshot has no
    such table. Pairs that only share a detail are in no group. Among the pairs at most `expected` are by
    chance, on average: each has at most so many false alarms. Equal files have none."""
    try:
        table = view.snapshot.storage.read_table(view.snapshot.near_duplicates_path)
    except NotFoundError:
        return None
    pairs = []
    for row in table.to_pylist():
        first, second = view.number_of(row["artwork_id"]), view.number_of(row["other_id"])
        if (row["false_alarms"] or 0) > expected or row["relation"] in OTHER_PICTURES:
            continue
        if first is not None and second is not None:
            relation = relation_words(row["relation"], mirrored=bool(row["mirrored"]))
            evidence = row["inliers"], row["false_alarms"]
            pairs.append(DuplicatePair(first, second, relation, *evidence))
    pairs.sort(key=_surest)
    group_of = gather([(pair.first, pair.second) for pair in pairs])
    grouped: dict[int, list[DuplicatePair]] = {}
    for pair in pairs:
        grouped.setdefault(group_of[pair.first], []).append(pair)
    groups = [_group(view, members) for members in grouped.values()]
    return sorted(groups, key=lambda group: not group.two_houses)


def unseen_works(view: SnapshotView) -> set[int]:
    """The artworks, by number, in whose pictures geometry sees nothing."""
    numbers = (view.number_of(artwork_id) for artwork_id in read_unseen(view.snapshot))
    return {number for number in numbers if number is not None}


def relation_words(relation: str, *, mirrored: bool) -> str:
    """A relation of schemas.NEAR_DUPLICATES for readers."""
    return f"{relation}, mirrored" if mirrored and relation != "mirrored" else relation


def _surest(pair: DuplicatePair) -> tuple[float, int, int, int]:
    alarms = -1.0 if pair.false_alarms is None else pair.false_alarms
    return alarms, -(pair.inliers or 0), pair.first, pair.second


def _group(view: SnapshotView, pairs: list[DuplicatePair]) -> DuplicateGroup:
    members = dict.fromkeys(number for pair in pairs for number in (pair.first, pair.second))
    houses = {number: _text(view.artwork_at(number).row.get("department")) for number in members}
    both = [(houses[pair.first], houses[pair.second]) for pair in pairs]
    known = [pair for pair in both if not any(UNKNOWN.match(house) for house in pair)]
    apart = any(first != other for first, other in known)
    return DuplicateGroup(tuple(members), tuple(pairs), apart)


def gather(pairs: list[Pair]) -> dict[int, int]:
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
