"""Which parts of two pictures match in a space: a part of the page on why they are alike, and what its
script asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from simsearch.errors import NotFoundError, SimsearchError
from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.closer.matches_drawing import drawing
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.matches import PartMatch, mutual_matches
from simsearch.reading.view import SnapshotView

MATCHES_DRAWN = 10


@dataclass(frozen=True)
class Matching:
    """Some of the `count` parts that match of `cells` in each picture, and their `drawings`, side by side
    and one above the other. There are no drawings where the space's network has no layer with positions,
    and where an `error` kept it from looking."""

    space: str
    drawings: Sequence[Markup] = ()
    matches: Sequence[PartMatch] = ()
    count: int = 0
    cells: int = 0
    error: str | None = None


@dataclass(frozen=True)
class AlikePartsPage(Page):
    template: ClassVar[str] = "closer/alike-parts"

    matching: Matching


def alike_parts_page(
    site: Site, view: SnapshotView, to: Addresses, artwork_id: str, other_id: str, space: str
) -> AlikePartsPage:
    first, other = view.artwork(artwork_id), view.artwork(other_id)
    return AlikePartsPage(matching_of(site, view, to, first, other, space))


def matching_of(
    site: Site,
    view: SnapshotView,
    to: Addresses,
    first: ViewArtwork,
    other: ViewArtwork,
    space: str,
) -> Matching:
    """Raises NotFoundError for a space that is not there, or where a picture is gone."""
    view.space(space)
    try:
        first_seen = site.feature_maps.seen(view, space, first)
        other_seen = site.feature_maps.seen(view, space, other)
    except NotFoundError:
        raise
    except SimsearchError as error:
        return Matching(space, error=str(error))
    if first_seen is None or other_seen is None:
        return Matching(space)
    matches = mutual_matches(first_seen.map, other_seen.map)
    drawn = matches[:MATCHES_DRAWN]
    pictures = [
        (to.picture(artwork.item, 1200), artwork.title, seen)
        for artwork, seen in ((first, first_seen), (other, other_seen))
    ]
    return Matching(
        space,
        drawings=[drawing(pictures, drawn, beside=beside) for beside in (True, False)],
        matches=drawn,
        count=len(matches),
        cells=first_seen.map.shape[0] * first_seen.map.shape[1],
    )
