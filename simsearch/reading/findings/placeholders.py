"""Pictures that several artworks share: placeholders, which were left out, and others, which were kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from simsearch import schemas
from simsearch.catalog.stored import PLACEHOLDER
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import HASH_DIGITS, SnapshotView
from simsearch.storage.parts import read_parts

NAMED = 60  # artworks listed by name under each picture


@dataclass(frozen=True)
class Placeholder:
    """A picture that was left out, as `count` artworks share it. `image_uri` is its address at one of them,
    `short_hash` its name in addresses of pages. `rows` are the first of the artworks' catalog rows."""

    short_hash: str
    image_uri: str
    count: int
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class SharedPicture:
    """The same file under several artworks, too few to be called a placeholder."""

    count: int
    artworks: list[ViewArtwork]


def placeholders(view: SnapshotView) -> dict[str, Placeholder]:
    """The placeholders by their short hash, those of most artworks first."""
    refused = view.rejects.filter(pc.field("reason") == PLACEHOLDER).to_pylist()
    if not refused:
        return {}
    hashes = _content_hashes(view, {row["image_uri"] for row in refused})
    catalog = _titles(view, {row["artwork_id"] for row in refused})
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in refused:
        short = hashes.get(row["image_uri"], "")[:HASH_DIGITS]
        if short:
            grouped.setdefault(short, []).append(row)
    by_hash = {
        short: Placeholder(
            short,
            rows[0]["image_uri"],
            len(rows),
            [
                {"title": None, "artists": None, **row, **catalog.get(row["artwork_id"], {})}
                for row in rows[:NAMED]
            ],
        )
        for short, rows in grouped.items()
    }
    return dict(sorted(by_hash.items(), key=lambda item: (-item[1].count, item[0])))


def _content_hashes(view: SnapshotView, uris: set[str]) -> dict[str, str]:
    table = read_parts(view.snapshot.storage, "sources", schemas.SOURCES)
    return {
        row["image_uri"]: row["content_hash"]
        for row in table.to_pylist()
        if row["image_uri"] in uris
    }


def _titles(view: SnapshotView, ids: set[str]) -> dict[str, dict[str, Any]]:
    rows = view.described.select(["artwork_id", "title", "artists"]).to_pylist()
    return {row["artwork_id"]: row for row in rows if row["artwork_id"] in ids}


def shared_pictures(view: SnapshotView) -> list[SharedPicture]:
    """Files that several artworks of the snapshot share, those of most artworks first."""
    hashes = view.hashes.take(view.item_of_artwork).to_pylist()
    counts = Counter(hashes)
    numbers: dict[str, list[int]] = {}
    for number, content_hash in enumerate(hashes):
        if counts[content_hash] > 1:
            numbers.setdefault(content_hash, []).append(number)
    ordered = sorted(numbers.values(), key=lambda sharers: (-len(sharers), sharers[0]))
    return [
        SharedPicture(len(sharers), [view.artwork_at(number) for number in sharers[:NAMED]])
        for sharers in ordered
    ]
