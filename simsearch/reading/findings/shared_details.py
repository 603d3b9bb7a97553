"""Parts that return in several works: a figure copied, a pattern, a painted frame; and what photographers and
archives put on their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from simsearch.errors import NotFoundError
from simsearch.reading.findings.duplicates import gather
from simsearch.reading.view import SnapshotView
from simsearch.schemas import OTHER_PICTURES

Rectangle = tuple[float, float, float, float]

# Intersection over union from which two boxes in one picture show one part.
ONE_PART = 0.4


@dataclass(frozen=True)
class Part:
    """Where an artwork, by number, shows a part: left, top, width and height, as schemas.BOX."""

    number: int
    box: Rectangle


@dataclass(frozen=True)
class SharedDetail:
    """A part that several works show, each named once. `inliers` and `false_alarms` are those of the surest
    pair, `relation` is the pair's: "shared detail" or "one frame"."""

    parts: tuple[Part, ...]
    relation: str
    inliers: int
    false_alarms: float
    pairs: int


def find_shared_details(view: SnapshotView) -> list[SharedDetail]:
    """The parts that return, those in most works first, then the surest. Pairs of works that share a part
    are joined where their boxes in a work show one part."""
    pairs = sorted(_pairs(view), key=lambda pair: pair[0])
    places: dict[int, list[int]] = {}
    parts = [part for _, _, both in pairs for part in both]
    for place, part in enumerate(parts):
        places.setdefault(part.number, []).append(place)
    joined = [(place, place + 1) for place in range(0, len(parts), 2)]
    for own in places.values():
        joined += [
            (first, second)
            for first, second in combinations(own, 2)
            if common_share(parts[first].box, parts[second].box) >= ONE_PART
        ]
    group_of = gather(joined)
    grouped: dict[int, list[int]] = {}
    for pair in range(len(pairs)):
        grouped.setdefault(group_of[2 * pair], []).append(pair)
    details = []
    for own_pairs in grouped.values():
        shown: dict[int, Part] = {}
        for pair in own_pairs:  # the surest first
            for part in pairs[pair][2]:
                shown.setdefault(part.number, part)
        (alarms, inliers), relation, _ = pairs[own_pairs[0]]
        details.append(
            SharedDetail(tuple(shown.values()), relation, -inliers, alarms, len(own_pairs))
        )
    return sorted(details, key=lambda detail: (-len(detail.parts), detail.false_alarms))


def _pairs(view: SnapshotView) -> Iterator[tuple[tuple[float, int], str, tuple[Part, Part]]]:
    """How sure each pair is, as what sorts the surest first; its relation; and its part in both works."""
    try:
        table = view.snapshot.storage.read_table(view.snapshot.near_duplicates_path)
    except NotFoundError:
        return
    if "box" not in table.column_names:  # a snapshot of an earlier version
        return
    for row in table.to_pylist():
        first, other = view.number_of(row["artwork_id"]), view.number_of(row["other_id"])
        if first is None or other is None or row["relation"] not in OTHER_PICTURES:
            continue
        both = Part(first, _box(row["box"])), Part(other, _box(row["other_box"]))
        yield (row["false_alarms"], -row["inliers"]), row["relation"], both


def common_share(first: Rectangle, second: Rectangle) -> float:
    """The intersection of two boxes over their union."""
    sides = [
        max(0.0, min(first[k] + first[k + 2], second[k] + second[k + 2]) - max(first[k], second[k]))
        for k in (0, 1)
    ]
    common = sides[0] * sides[1]
    union = first[2] * first[3] + second[2] * second[3] - common
    return common / union if union > 0 else 0.0


def find_confusers(view: SnapshotView) -> list[tuple[Part, ...]]:
    """The regions that return at one place in many works, those of most works first, and where each of
    these works shows it."""
    try:
        rows = view.snapshot.storage.read_table(view.snapshot.confusers_path).to_pylist()
    except NotFoundError:  # a snapshot of an earlier version
        return []
    grouped: dict[int, list[Part]] = {}
    for row in rows:
        number = view.number_of(row["artwork_id"])
        if number is not None:
            grouped.setdefault(row["confuser"], []).append(Part(number, _box(row["box"])))
    return [tuple(parts) for parts in grouped.values()]


def _box(cell: Any) -> Rectangle:
    left, top, width, height = cell
    return left, top, width, height
