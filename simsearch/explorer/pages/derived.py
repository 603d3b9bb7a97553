"""Values that several pages show, counted once per snapshot."""

from __future__ import annotations

from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings import changes
from simsearch.reading.findings.changes import Since
from simsearch.reading.findings.duplicates import LISTED, DuplicateGroup, duplicate_groups
from simsearch.reading.findings.learned import Learned, list_learned
from simsearch.reading.findings.listed_pairs import ListedPairs
from simsearch.reading.findings.neighbour_lists import NeighbourLists, neighbour_lists
from simsearch.reading.findings.placeholders import Placeholder, placeholders
from simsearch.reading.findings.shared_details import (
    Part,
    SharedDetail,
    find_confusers,
    find_shared_details,
)
from simsearch.reading.picture_pairs import PicturePair
from simsearch.reading.questions import NearPairs
from simsearch.reading.view import SnapshotView


def lists_of(site: Site, view: SnapshotView, space: str) -> NeighbourLists:
    """Raises NotFoundError for a space that the snapshot does not hold."""
    view.space(space)
    return site.derived(view, ("lists", space), lambda: neighbour_lists(view, space))


def compared_spaces(view: SnapshotView) -> tuple[str, ...]:
    """The trained spaces, or all if fewer than two are trained."""
    trained = tuple(space for space in view.spaces if space not in view.untrained)
    return trained if len(trained) > 1 else view.spaces


def groups_of(
    site: Site, view: SnapshotView, expected: float = LISTED
) -> list[DuplicateGroup] | None:
    """The near-duplicates of which at most `expected` pairs are by chance; None where the snapshot does not
    list any."""
    return site.derived(view, ("duplicates", expected), lambda: duplicate_groups(view, expected))


def details_of(site: Site, view: SnapshotView) -> list[SharedDetail]:
    return site.derived(view, "shared details", lambda: find_shared_details(view))


def confusers_of(site: Site, view: SnapshotView) -> list[tuple[Part, ...]]:
    return site.derived(view, "confusers", lambda: find_confusers(view))


def listed_pairs(site: Site, view: SnapshotView) -> ListedPairs:
    return site.derived(view, "listed pairs", lambda: ListedPairs(view))


def near_pairs(site: Site, view: SnapshotView) -> NearPairs:
    """The pairs of different pictures that the snapshot lists, as questions to a person."""
    return site.derived(view, "near pairs", lambda: NearPairs(view, listed_pairs(site, view)))


def picture_pair(
    site: Site, view: SnapshotView, first: ViewArtwork, other: ViewArtwork
) -> PicturePair:
    """What the pictures of two artworks have in common."""
    listed = listed_pairs(site, view).between(first.number, other.number)
    return site.pair_geometry.of(view, first, other, listed)


def since(site: Site, view: SnapshotView) -> Since | None:
    """The changes since the snapshot before; None for the first under its root."""
    listed = tuple(snapshot.snapshot_id for snapshot in site.library.listed())
    return site.derived(view, ("since", listed), lambda: changes.find_changes(site.library, view))


def placeholders_of(site: Site, view: SnapshotView) -> dict[str, Placeholder]:
    """The pictures left out for standing for many artworks, by their short hash."""
    return site.derived(view, "placeholders", lambda: placeholders(view))


def learned_of(site: Site, view: SnapshotView) -> list[Learned]:
    return site.derived(view, "learned", lambda: list_learned(view))
