"""The page on why two artworks are near in a space: matching parts, common properties, usual scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.closer.agreement_drawing import drawings_of
from simsearch.explorer.pages.closer.alike_parts import Matching, matching_of
from simsearch.explorer.pages.derived import lists_of, picture_pair
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading import side_by_side
from simsearch.reading.artworks import ViewArtwork, shorten
from simsearch.reading.dates import first_year
from simsearch.reading.picture_pairs import PicturePair
from simsearch.reading.side_by_side import Copy
from simsearch.reading.verdicts import verdict_between
from simsearch.reading.view import SnapshotView
from simsearch.reading.words import fold_text

RANDOM_PAIRS = 2000  # drawn to know what is usual: enough for a tenth of a per cent

FIELDS = (
    ("artists", "Artist"),
    ("date", "Date"),
    ("medium", "Medium"),
    ("department", "Department"),
    ("classification", "Classification"),
    ("subjects", "Subjects"),
    ("credit", "Credit"),
)


@dataclass(frozen=True)
class Field:
    """The values of two catalog entries in one column. `shared` are their common values, in words."""

    name: str
    first: str
    other: str
    shared: str


@dataclass(frozen=True)
class SpaceScore:
    """The cosine of two artworks in a space, the other's rank among the first's neighbours, and the first's
    among the other's, `back`; None beyond the stored ones."""

    name: str
    score: float
    rank: int | None
    back: int | None


@dataclass(frozen=True)
class OwnCopies:
    """An artwork's changed copies in a space, each with its cosine; `nearer` counts those that are nearer
    to it than the other artwork."""

    artwork: ViewArtwork
    copies: list[tuple[Copy, float]]
    nearer: int


@dataclass(frozen=True)
class AlikePage(Page):
    """Two artworks in `space`, which is `encoder`'s, with a `head` or None. `rarer` is the share of random
    pairs of artworks that are less alike, None where there are no pairs. `k` is the length of neighbour
    lists. `judged` is a person's verdict in words, empty for none. `drawings` show what both pictures have in
    `common`, empty where no points are known. `matching` is
    None where the page asks for it later."""

    template: ClassVar[str] = "closer/alike"

    first: ViewArtwork
    other: ViewArtwork
    space: str
    common: PicturePair
    judged: str
    drawings: list[Markup]
    encoder: str
    head: str | None
    spaces: list[SpaceScore]
    k: int
    score: float
    rarer: float | None
    fields: list[Field]
    copies: list[OwnCopies]
    matching: Matching | None


def alike_page(
    site: Site,
    view: SnapshotView,
    to: Addresses,
    artwork_id: str,
    other_id: str,
    space: str | None,
    *,
    drawn: bool,
) -> AlikePage:
    """The page of two artworks, with their matching parts where they are to be `drawn`."""
    first, other = view.artwork(artwork_id), view.artwork(other_id)
    space = space or view.spaces[0]
    described = view.space(space)
    score = _score(view, space, first, other)
    common = picture_pair(site, view, first, other)
    usual = site.derived(view, ("usual", space), lambda: _usual_scores(view, space))
    return AlikePage(
        first=first,
        other=other,
        space=space,
        common=common,
        judged=verdict_between(view, first, other),
        drawings=_drawings(common, to, first, other),
        encoder=described.encoder,
        head=described.head,
        spaces=[
            SpaceScore(
                name,
                _score(view, name, first, other),
                _rank(site, view, name, first, other),
                _rank(site, view, name, other, first),
            )
            for name in view.spaces
        ],
        k=lists_of(site, view, space).k,
        score=score,
        rarer=float((usual < score).mean()) if len(usual) else None,
        fields=[field for field in _fields(first, other) if field.first or field.other],
        copies=[_own_copies(view, artwork, space, score) for artwork in (first, other)],
        matching=matching_of(site, view, to, first, other, space) if drawn else None,
    )


def _drawings(
    common: PicturePair, to: Addresses, first: ViewArtwork, other: ViewArtwork
) -> list[Markup]:
    if common.agreement is None:
        return []
    artworks = (first, other)
    hrefs = [to.picture(artwork.item, 1200) for artwork in artworks]
    return drawings_of(common.agreement, hrefs, [artwork.title for artwork in artworks])


def _score(view: SnapshotView, space: str, first: ViewArtwork, other: ViewArtwork) -> float:
    return cosine(view.distance(space, first.item, other.item))


def _rank(
    site: Site, view: SnapshotView, space: str, first: ViewArtwork, other: ViewArtwork
) -> int | None:
    nearest = lists_of(site, view, space).numbers[first.number].tolist()
    return nearest.index(other.number) + 1 if other.number in nearest else None


def _usual_scores(view: SnapshotView, space: str) -> npt.NDArray[np.float64]:
    """The cosines of random pairs of artworks, seeded."""
    if len(view) < 2:
        return np.zeros(0)
    random = np.random.default_rng(view.plan.seed)
    first = random.integers(0, len(view), RANDOM_PAIRS)
    other = (first + random.integers(1, len(view), RANDOM_PAIRS)) % len(view)
    items = view.item_of_artwork
    return np.array(
        [
            cosine(view.distance(space, int(items[a]), int(items[b])))
            for a, b in zip(first, other, strict=True)
        ]
    )


def _fields(first: ViewArtwork, other: ViewArtwork) -> list[Field]:
    return [
        Field(name, _text(first, column), _text(other, column), _shared(first, other, column))
        for column, name in FIELDS
    ]


def _text(artwork: ViewArtwork, column: str) -> str:
    value = artwork.row.get(column)
    return shorten(", ".join(value) if isinstance(value, list) else str(value or ""))


def _shared(first: ViewArtwork, other: ViewArtwork, column: str) -> str:
    if column == "date":
        return _shared_time(first_year(first.row["date"]), first_year(other.row["date"]))
    first_value, other_value = first.row.get(column) or [], other.row.get(column) or []
    if isinstance(first_value, str) or isinstance(other_value, str):
        return (
            "the same"
            if first_value
            and other_value
            and fold_text(str(first_value)) == fold_text(str(other_value))
            else ""
        )
    known = {fold_text(value) for value in other_value}
    return shorten(", ".join(value for value in first_value if fold_text(value) in known))


def _shared_time(first: int | None, other: int | None) -> str:
    if first is None or other is None:
        return ""
    if first == other:
        return "the same year"
    if first // 10 == other // 10:
        return "the same decade"
    if first // 100 == other // 100:
        return "the same century"
    across = (first < 0) != (other < 0)  # the year 1 follows the year −1: there is no year 0
    return f"{abs(first - other) - across} years apart"


def _own_copies(view: SnapshotView, artwork: ViewArtwork, space: str, score: float) -> OwnCopies:
    made = side_by_side.copies(view, artwork, [space])
    copies = [(copy, cosine(copy.ranks[0].distance)) for copy in made]
    return OwnCopies(artwork, copies, sum(own > score for _, own in copies))
