"""Groups of works whose pictures are as good as the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simsearch.errors import UsageError
from simsearch.explorer.pages.derived import groups_of, near_pairs
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading.chance_words import chance_words
from simsearch.reading.findings.duplicates import (
    DuplicateGroup,
    Entry,
    entries,
    unseen_works,
)
from simsearch.reading.questions import LeftOut
from simsearch.reading.sets import encode_if_few
from simsearch.reading.verdicts import StandingVerdicts, standing_verdicts, words_of
from simsearch.reading.view import SnapshotView

GROUPS_PER_PAGE = 12
PAIRS_SHOWN = 40  # of a group
# False pairs that are expected at most among those that are listed, as addresses have them; the first lists
# all.
CHANCES = ("1", "0.1", "0.01", "0.001", "1e-6", "1e-12")


@dataclass(frozen=True)
class Chosen:
    """A choice of how many pairs may be by chance: `value` as addresses have it, the same in `words`, and how
    many `pairs` are listed then."""

    value: str
    words: str
    pairs: int


@dataclass(frozen=True)
class DuplicatesPage(PagedPage):
    """`stored` says whether the snapshot lists near-duplicates. There are `total` groups of `works` works
    in all; `set_of` are these works as addresses have a set, None for more than a set holds. `first` is
    the place of the first group shown, from 1. In the pictures of `unseen` works geometry sees nothing;
    `unseen_set` is as `set_of`. Of `asked` pairs of pictures `judged` have a verdict; `verdicts` has those of
    the pairs that are shown, in words. `scores` has the cosines by space of the pairs that are
    shown, by the numbers of their artworks; of a group there are `pairs_shown`. Of the pairs at most `chance` are
    expected to be by chance, one of the `chances`, of which there are none where all list the same."""

    template: ClassVar[str] = "findings/duplicates"

    chance: str
    chances: list[Chosen]
    stored: bool
    total: int
    works: int
    set_of: str | None
    groups: list[tuple[DuplicateGroup, list[Entry]]]
    first: int
    asked: int
    judged: int
    verdicts: dict[tuple[int, int], str]
    scores: dict[tuple[int, int], dict[str, float]]
    pairs_shown: int
    unseen: int
    unseen_set: str | None


def duplicates_page(
    site: Site, view: SnapshotView, page: int, chance: str = CHANCES[0]
) -> DuplicatesPage:
    """Raises UsageError for a `chance` that is no choice."""
    if chance not in CHANCES:
        raise UsageError(f"chance: {chance!r} is none here; choose one of {', '.join(CHANCES)}")
    stored = groups_of(site, view, float(chance))
    groups = stored or []
    paging = page_of(len(groups), page, GROUPS_PER_PAGE)
    works = {number for group in groups for number in group.members}
    unseen = unseen_works(view)
    standing = standing_verdicts(view.snapshot.storage)
    questions = near_pairs(site, view).ask(standing, LeftOut())
    return DuplicatesPage(
        paging=paging,
        chance=chance,
        chances=chances_of(site, view),
        stored=stored is not None,
        total=len(groups),
        works=len(works),
        set_of=encode_if_few(works),
        groups=[(group, entries(view, group)) for group in groups[paging.part]],
        first=paging.part.start + 1,
        asked=questions.total,
        judged=questions.judged,
        verdicts=_verdicts(view, standing, groups[paging.part]),
        scores=_scores(view, groups[paging.part]),
        pairs_shown=PAIRS_SHOWN,
        unseen=len(unseen),
        unseen_set=encode_if_few(unseen),
    )


def chances_of(site: Site, view: SnapshotView) -> list[Chosen]:
    """The choices of how many pairs may be by chance. None where all of them list the same pairs."""
    counts = {
        value: sum(len(group.pairs) for group in groups_of(site, view, float(value)) or [])
        for value in CHANCES
    }
    if len(set(counts.values())) < 2:
        return []
    return [Chosen(value, _number(value), pairs) for value, pairs in counts.items()]


def _number(value: str) -> str:
    """A choice for readers."""
    return value if "e" not in value else chance_words(float(value)).removeprefix("at most ")


def _verdicts(
    view: SnapshotView, standing: StandingVerdicts, groups: Sequence[DuplicateGroup]
) -> dict[tuple[int, int], str]:
    """The verdicts on the pairs of groups that are shown, in words, by the numbers of their artworks."""
    if not standing.by_pair:
        return {}
    said = {}
    for pair in (pair for group in groups for pair in group.pairs[:PAIRS_SHOWN]):
        first, second = view.artwork_at(pair.first), view.artwork_at(pair.second)
        if (given := standing.between(first, second)) is not None:
            said[pair.first, pair.second] = words_of(given, first.content_hash)
    return said


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
