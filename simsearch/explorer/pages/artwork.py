"""An artwork's page: its picture, its catalog entry, its neighbours in every space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import listed_pairs
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading import side_by_side
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.duplicates import relation_words
from simsearch.reading.side_by_side import Column, Copy
from simsearch.reading.view import SnapshotView

PAIRS_SHOWN = 24  # a watermark may be shared with hundreds


@dataclass(frozen=True)
class AgreeingArtwork:
    """Another artwork whose picture agrees with the page's artwork: what this one is to it, and what speaks for
    it, in words."""

    artwork: ViewArtwork
    relation: str
    evidence: str


@dataclass(frozen=True)
class ArtworkPage(Page):
    """`facts` are the catalog's, as names and texts; a text may be empty. `before` and `after` are the
    artworks beside it in the catalog. Of `pairs_count` artworks whose pictures agree with its own, `pairs` are
    the surest."""

    template: ClassVar[str] = "artwork"

    artwork: ViewArtwork
    facts: list[tuple[str, str]]
    pairs: list[AgreeingArtwork]
    pairs_count: int
    spaces: list[str]
    with_copies: bool
    columns: list[Column]
    copies: list[Copy]
    before: ViewArtwork
    after: ViewArtwork


def artwork_page(
    site: Site, view: SnapshotView, artwork_id: str, chosen: Sequence[str], *, with_copies: bool
) -> ArtworkPage:
    artwork = view.artwork(artwork_id)
    for space in chosen:
        view.space(space)
    spaces = [space for space in view.spaces if not chosen or space in chosen]
    pairs = listed_pairs(site, view).of(artwork.number)
    return ArtworkPage(
        artwork=artwork,
        facts=_facts(artwork),
        pairs=[
            AgreeingArtwork(
                view.artwork_at(pair.other),
                relation_words(pair.relation, mirrored=pair.mirrored),
                pair.evidence,
            )
            for pair in pairs[:PAIRS_SHOWN]
        ],
        pairs_count=len(pairs),
        spaces=spaces,
        with_copies=with_copies,
        columns=side_by_side.columns(view, artwork, spaces, with_copies=with_copies),
        copies=side_by_side.copies(view, artwork, spaces),
        before=view.artwork_at((artwork.number - 1) % len(view)),
        after=view.artwork_at((artwork.number + 1) % len(view)),
    )


def _facts(artwork: ViewArtwork) -> list[tuple[str, str]]:
    columns = ("date", "medium", "dimensions", "department", "classification")
    facts = [(column.capitalize(), artwork.row[column]) for column in columns]
    facts.append(("Subjects", ", ".join(artwork.row["subjects"] or [])))
    facts += [
        (name.capitalize(), artwork.row[name]) for name in ("credit", "rights", "attribution")
    ]
    return [*facts, ("Identifier", artwork.artwork_id)]
