"""The values of the findings' pages: results about a collection that no search shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simsearch.errors import UsageError
from simsearch.explorer.pages import charts
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import SAID, shorten
from simsearch.reading.findings import changes as change
from simsearch.reading.findings.disagreement import Disagreement, disagreement
from simsearch.reading.findings.duplicates import DuplicateGroup, duplicate_groups, entries
from simsearch.reading.findings.hubs import Hubs, hubs
from simsearch.reading.findings.learned import BETWEEN, Learned, list_learned
from simsearch.reading.findings.neighbour_lists import NeighbourLists, neighbour_lists
from simsearch.reading.findings.other_hands import AlikePair, alike_pairs
from simsearch.reading.findings.placeholders import (
    Placeholder,
    SharedPicture,
    placeholders,
    shared_pictures,
)
from simsearch.reading.sets import MOST, encode
from simsearch.reading.training_log import EXAMPLE_ROWS
from simsearch.reading.view import SnapshotView

Values = dict[str, Any]

GROUPS_PER_PAGE = 12
PAIRS_PER_PAGE = 24
PAIRS_SHOWN = 40  # of a group of near-duplicates
HUBS_PER_PAGE = 48
ROWS_PER_PAGE = 12
NEAREST_SHOWN = 4  # of each space, where spaces disagree
ALL = "all"
KIND_WORDS = {
    "originals": "as they are",
    "made": "as it makes them again",
    "copies": "slightly changed",
    "mended": "what it makes of the changed ones",
}


def lists_of(site: Site, view: SnapshotView, space: str) -> NeighbourLists:
    view.space(space)
    lists: NeighbourLists = site.derived(
        view, ("lists", space), lambda: neighbour_lists(view, space)
    )
    return lists


def compared_spaces(view: SnapshotView) -> tuple[str, ...]:
    """The trained spaces, or all if fewer than two are trained."""
    trained = tuple(space for space in view.spaces if space not in view.untrained)
    return trained if len(trained) > 1 else view.spaces


def groups_of(site: Site, view: SnapshotView) -> list[DuplicateGroup] | None:
    groups: list[DuplicateGroup] | None = site.derived(
        view, "duplicates", lambda: duplicate_groups(view)
    )
    return groups


def since(site: Site, view: SnapshotView) -> change.Since | None:
    listed = tuple(snapshot.snapshot_id for snapshot in site.library.listed())
    changes: change.Since | None = site.derived(
        view, ("since", listed), lambda: change.find_changes(site.library, view)
    )
    return changes


def overview(site: Site, view: SnapshotView) -> Values:
    groups = groups_of(site, view)
    left_out = _placeholders(site, view)
    moved = since(site, view)
    return {
        "groups": None if groups is None else len(groups),
        "group_examples": [
            view.artwork_at(n) for group in (groups or [])[:2] for n in group.members[:2]
        ],
        "placeholders": left_out,
        "left_out": sum(placeholder.count for placeholder in left_out.values()),
        "learned": sorted({training.space for training in learned_of(site, view)}),
        "compared": compared_spaces(view),
        "since": moved,
    }


def duplicates(site: Site, view: SnapshotView, page: int) -> Values:
    groups = groups_of(site, view)
    page, count, part = page_of(len(groups or []), page, GROUPS_PER_PAGE)
    works = {number for group in groups or [] for number in group.members}
    return {
        "stored": groups is not None,
        "total": len(groups or []),
        "works": len(works),
        "set_of": encode(works) if len(works) <= MOST else None,
        "groups": [(group, entries(view, group)) for group in (groups or [])[part]],
        "scores": _scores(view, (groups or [])[part]),
        "pairs_shown": PAIRS_SHOWN,
        "first": part.start + 1,
        "page": page,
        "page_count": count,
    }


def _scores(
    view: SnapshotView, groups: Sequence[DuplicateGroup]
) -> dict[tuple[int, int], dict[str, float]]:
    """The cosines, by space, of the pairs of groups that are shown, by the numbers of their artworks."""
    pairs = [(p.first, p.second) for group in groups for p in group.pairs[:PAIRS_SHOWN]]
    first, second = (
        view.item_of_artwork[np.array([pair[side] for pair in pairs], np.int64)] for side in (0, 1)
    )
    columns = {
        space: view.index(space).distances(first, second).tolist() if pairs else []
        for space in view.spaces
    }
    return {
        pair: {space: cosine(distances[place]) for space, distances in columns.items()}
        for place, pair in enumerate(pairs)
    }


def _placeholders(site: Site, view: SnapshotView) -> dict[str, Placeholder]:
    by_hash: dict[str, Placeholder] = site.derived(view, "placeholders", lambda: placeholders(view))
    return by_hash


def placeholder_of(site: Site, view: SnapshotView, short_hash: str) -> Placeholder | None:
    return _placeholders(site, view).get(short_hash)


def placeholder_page(site: Site, view: SnapshotView, page: int) -> Values:
    shared: list[SharedPicture] = site.derived(view, "shared", lambda: shared_pictures(view))
    page, count, part = page_of(len(shared), page, GROUPS_PER_PAGE)
    return {
        "placeholders": list(_placeholders(site, view).values()),
        "least": view.plan.settings.catalog.placeholder_artworks,
        "shared_total": len(shared),
        "shared": shared[part],
        "page": page,
        "page_count": count,
    }


def hub_page(site: Site, view: SnapshotView, space: str | None, page: int) -> Values:
    space = space or view.spaces[0]
    ranking: Hubs = site.derived(view, ("hubs", space), lambda: hubs(lists_of(site, view, space)))
    near = int((ranking.occurrences > 0).sum())
    page, count, part = page_of(near, page, HUBS_PER_PAGE)
    entries = zip(ranking.order[part], ranking.occurrences[part], strict=True)
    return {
        "space": space,
        "ranking": ranking,
        "works": [
            (view.artwork_at(int(number)), int(times)) for number, times in entries if times > 0
        ],
        "page": page,
        "page_count": count,
    }


def disagreement_page(site: Site, view: SnapshotView, page: int) -> Values:
    spaces = compared_spaces(view)
    if len(spaces) < 2:
        return {"spaces": spaces, "ranking": None}
    lists = {space: lists_of(site, view, space) for space in spaces}
    ranking: Disagreement = site.derived(view, "disagreement", lambda: disagreement(lists))
    page, count, part = page_of(len(view), page, ROWS_PER_PAGE)
    return {
        "spaces": spaces,
        "ranking": ranking,
        "rows": [
            (
                view.artwork_at(int(number)),
                float(agreement),
                {space: _nearest(view, lists[space], int(number)) for space in spaces},
            )
            for number, agreement in zip(ranking.order[part], ranking.agreement[part], strict=True)
        ],
        "first": part.start + 1,
        "page": page,
        "page_count": count,
    }


def _nearest(view: SnapshotView, lists: NeighbourLists, number: int) -> list[Any]:
    nearest = lists.numbers[number, :NEAREST_SHOWN]
    return [view.artwork_at(int(other)) for other in nearest if other >= 0]


def other_hands_page(site: Site, view: SnapshotView, space: str | None, page: int) -> Values:
    spaces = compared_spaces(view)
    choices = (*((ALL,) if len(spaces) > 1 else ()), *view.spaces)
    space = space or choices[0]
    if space not in choices:
        named = shorten(space, SAID)
        raise UsageError(f"space: {named!r} is none here; choose one of {', '.join(choices)}")
    chosen_spaces = spaces if space == ALL else (space,)
    pairs: list[AlikePair] = site.derived(
        view, ("other hands", space), lambda: _alike_pairs(site, view, chosen_spaces)
    )
    page, count, part = page_of(len(pairs), page, PAIRS_PER_PAGE)
    return {
        "space": space,
        "choices": choices,
        "choice_words": {ALL: "all networks", **{name: name for name in view.spaces}},
        "asked": chosen_spaces,
        "named": any(view.catalog["artists"].to_pylist()),
        "total": len(pairs),
        "pairs": [
            (view.artwork_at(pair.first), view.artwork_at(pair.second), pair.scores)
            for pair in pairs[part]
        ],
        "page": page,
        "page_count": count,
    }


def _alike_pairs(site: Site, view: SnapshotView, spaces: Sequence[str]) -> list[AlikePair]:
    near = {
        (min(pair.first, pair.second), max(pair.first, pair.second))
        for group in groups_of(site, view) or []
        for pair in group.pairs
    }
    return alike_pairs(view, {space: lists_of(site, view, space) for space in spaces}, near)


def learned_of(site: Site, view: SnapshotView) -> list[Learned]:
    trainings: list[Learned] = site.derived(view, "learned", lambda: list_learned(view))
    return trainings


def learned_page(site: Site, view: SnapshotView) -> Values:
    return {
        "learned": [
            (place, training, _facts(training.row), charts.losses(training.training.losses))
            for place, training in enumerate(learned_of(site, view))
        ],
        "rows": EXAMPLE_ROWS,
        "between": BETWEEN,
        "kind_words": KIND_WORDS,
    }


def _facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A training in words, as names and texts."""
    in_use = "" if row["active"] is None else f", {row['active']:,.0f} of them in use"
    return [
        ("Kind", row["kind"]),
        ("Learned from", f"{row['artworks']:,} works, {row['images']:,} images with their copies"),
        ("Held out", row["held_out"]),
        ("Copies it saw", row["profiles"]),
        ("Makes of a picture", f"{row['dimension']:,} numbers{in_use}"),
        ("Took", row["cost"]),
        ("At the end", row["losses"]),
    ]


def changes_page(site: Site, view: SnapshotView) -> Values:
    moved = since(site, view)
    if moved is None:
        return {"since": None}
    works, older = moved.changes.artworks, moved.older
    return {
        "since": moved,
        "works": works,
        "came": change.find_shown(view, works.added),
        "went": change.find_shown(older, works.removed),
        "changed": change.pairs(
            older, view, [(artwork_id, artwork_id) for artwork_id in works.changed]
        ),
        "renamed": change.pairs(older, view, works.renamed),
        "redescribed": change.find_redescribed(older, view, works.described_anew),
    }
