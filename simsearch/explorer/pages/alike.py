"""The page on why two artworks are near in a space: matching parts, common properties, usual scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.errors import NotFoundError, SimsearchError
from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.findings import lists_of
from simsearch.explorer.pages.matches_drawing import drawing
from simsearch.explorer.pages.site import Site
from simsearch.indexes.exact import cosine
from simsearch.reading import side_by_side
from simsearch.reading.artworks import Artwork, shorten
from simsearch.reading.dates import first_year
from simsearch.reading.matches import mutual_matches
from simsearch.reading.view import SnapshotView
from simsearch.reading.words import fold_text

MATCHES_DRAWN = 10
RANDOM_PAIRS = 2000  # drawn for the usual scores: enough for a tenth of a per cent

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


def alike_page(
    site: Site, view: SnapshotView, artwork_id: str, other_id: str, space: str | None
) -> dict[str, Any]:
    first, other = view.artwork(artwork_id), view.artwork(other_id)
    space = space or view.spaces[0]
    described = view.space(space)
    score = _score(view, space, first, other)
    usual = site.derived(view, ("usual", space), lambda: _usual_scores(view, space))
    return {
        "first": first,
        "other": other,
        "space": space,
        "encoder": described.encoder,
        "head": described.head,
        "spaces": [
            {
                "name": name,
                "score": _score(view, name, first, other),
                "rank": _rank(site, view, name, first, other),
                "back": _rank(site, view, name, other, first),
            }
            for name in view.spaces
        ],
        "k": lists_of(site, view, space).k,
        "score": score,
        "rarer": float((usual < score).mean()) if len(usual) else None,
        "fields": [field for field in _fields(first, other) if field.first or field.other],
        "copies": [_copies(view, artwork, space, score) for artwork in (first, other)],
    }


def parts_of(
    site: Site, view: SnapshotView, to: Addresses, artwork_id: str, other_id: str, space: str
) -> dict[str, Any]:
    """The drawing of matching parts, or the reason in words why there is none."""
    first, other = view.artwork(artwork_id), view.artwork(other_id)
    view.space(space)
    values: dict[str, Any] = {"space": space, "drawings": None, "error": None, "matches": []}
    try:
        first_seen = site.feature_maps.seen(view, space, first)
        other_seen = site.feature_maps.seen(view, space, other)
    except NotFoundError:
        raise
    except SimsearchError as error:
        return {**values, "error": str(error)}
    if first_seen is None or other_seen is None:
        return values
    matches = mutual_matches(first_seen.map, other_seen.map)
    drawn = matches[:MATCHES_DRAWN]
    pictures = [
        (to.picture(artwork.item, 1200), artwork.title, seen)
        for artwork, seen in ((first, first_seen), (other, other_seen))
    ]
    return {
        **values,
        "matches": drawn,
        "found": len(matches),
        "cells": first_seen.map.shape[0] * first_seen.map.shape[1],
        "drawings": [drawing(pictures, drawn, beside=beside) for beside in (True, False)],
    }


def _score(view: SnapshotView, space: str, first: Artwork, other: Artwork) -> float:
    return cosine(view.distance(space, first.item, other.item))


def _rank(site: Site, view: SnapshotView, space: str, first: Artwork, other: Artwork) -> int | None:
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


def _fields(first: Artwork, other: Artwork) -> list[Field]:
    return [
        Field(name, _text(first, column), _text(other, column), _shared(first, other, column))
        for column, name in FIELDS
    ]


def _text(artwork: Artwork, column: str) -> str:
    value = artwork.row.get(column)
    return shorten(", ".join(value) if isinstance(value, list) else str(value or ""))


def _shared(first: Artwork, other: Artwork, column: str) -> str:
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


def _copies(view: SnapshotView, artwork: Artwork, space: str, score: float) -> dict[str, Any]:
    """The artwork's own copies in the space, and the number of them that are nearer than the other
    artwork."""
    copies = side_by_side.copies(view, artwork, [space])
    entries = [(copy, copy.ranks[0].rank, cosine(copy.ranks[0].distance)) for copy in copies]
    return {
        "artwork": artwork,
        "entries": entries,
        "nearer": sum(own > score for _, _, own in entries),
    }
