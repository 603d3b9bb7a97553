"""Works that look alike and are by different artists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from simsearch.errors import UsageError
from simsearch.explorer.pages.derived import compared_spaces, groups_of, lists_of
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import SAID, ViewArtwork, shorten
from simsearch.reading.findings.other_hands import AlikePair, alike_pairs
from simsearch.reading.view import SnapshotView

PAIRS_PER_PAGE = 24
ALL = "all"


@dataclass(frozen=True)
class OtherHandsPage(PagedPage):
    """The pairs that are near in every space `asked`, `total` in all, those shown with their cosines by
    space. `space` is one of the `choices`, which `choice_words` names. `named` says whether the catalog
    names any artist."""

    template: ClassVar[str] = "findings/other-hands"

    space: str
    choices: tuple[str, ...]
    choice_words: dict[str, str]
    asked: tuple[str, ...]
    named: bool
    total: int
    pairs: list[tuple[ViewArtwork, ViewArtwork, dict[str, float]]]


def other_hands_page(
    site: Site, view: SnapshotView, space: str | None, page: int
) -> OtherHandsPage:
    """Raises UsageError for a space that is no choice."""
    spaces = compared_spaces(view)
    choices = (*((ALL,) if len(spaces) > 1 else ()), *view.spaces)
    space = space or choices[0]
    if space not in choices:
        named = shorten(space, SAID)
        raise UsageError(f"space: {named!r} is none here; choose one of {', '.join(choices)}")
    asked = spaces if space == ALL else (space,)
    pairs = site.derived(view, ("other hands", space), lambda: _alike_pairs(site, view, asked))
    paging = page_of(len(pairs), page, PAIRS_PER_PAGE)
    return OtherHandsPage(
        paging=paging,
        space=space,
        choices=choices,
        choice_words={ALL: "all networks", **{name: name for name in view.spaces}},
        asked=asked,
        named=any(view.catalog["artists"].to_pylist()),
        total=len(pairs),
        pairs=[
            (view.artwork_at(pair.first), view.artwork_at(pair.second), pair.scores)
            for pair in pairs[paging.part]
        ],
    )


def _alike_pairs(site: Site, view: SnapshotView, spaces: Sequence[str]) -> list[AlikePair]:
    near = {
        (min(pair.first, pair.second), max(pair.first, pair.second))
        for group in groups_of(site, view) or []
        for pair in group.pairs
    }
    return alike_pairs(view, {space: lists_of(site, view, space) for space in spaces}, near)
