"""What the map draws: points as raw float32, labels and colour codes as compact JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from simsearch.explorer.data.artworks import first_year
from simsearch.explorer.data.recovery import recovered_share
from simsearch.explorer.data.view import HASH_DIGITS, SnapshotView

CATEGORIES = 11  # told apart by colour; the rest are "other"
SHARES = (
    "none found",
    "up to a quarter",
    "up to half",
    "up to three quarters",
    "nearly all",
    "all",
)


def points(view: SnapshotView, space: str, method: str) -> bytes:
    """x and y of every artwork in the catalog's order, little-endian float32."""
    return view.coordinates(space, method).astype("<f4").tobytes()


def artworks(view: SnapshotView) -> dict[str, Any]:
    """Per artwork its id, title, artists and picture's hash, and a code into each colour field's
    labels (−1: not known). A field that is `ordered` goes from low to high."""
    rows = view.catalog
    artists = [", ".join(each or ()) for each in rows["artists"].to_pylist()]
    years = [first_year(date) for date in rows["date"].to_pylist()]
    fields = {
        "period": _periods(years),
        "artist": _categories([(each or [None])[0] for each in rows["artists"].to_pylist()]),
        **{
            name: _categories(rows[name].to_pylist())
            for name in ("medium", "department", "classification")
        },
    }
    if view.profiles:
        fields |= {
            f"copies found by {space}": _shares(recovered_share(view, space))
            for space in view.spaces
        }
    return {
        "ids": rows["artwork_id"].to_pylist(),
        "titles": [title or "Untitled" for title in rows["title"].to_pylist()],
        "artists": artists,
        "hashes": [view.hashes[int(item)].as_py()[:HASH_DIGITS] for item in view.item_of_artwork],
        "fields": {name: field for name, field in fields.items() if len(field["labels"]) > 1},
    }


def _categories(values: Sequence[str | None]) -> dict[str, Any]:
    counts = Counter(value for value in values if value)
    labels = [value for value, _ in counts.most_common(CATEGORIES)]
    codes = {label: code for code, label in enumerate(labels)}
    if len(counts) > len(labels):
        labels.append("other")
    return {
        "ordered": False,
        "labels": labels,
        "codes": [codes.get(value, len(codes)) if value else -1 for value in values],
    }


def _periods(years: Sequence[int | None]) -> dict[str, Any]:
    """Centuries, or decades where all lie within two centuries."""
    known = [year for year in years if year is not None]
    span = 10 if known and max(known) - min(known) < 150 else 100
    starts = sorted({year // span * span for year in known})
    codes = {start: code for code, start in enumerate(starts)}
    labels = [f"{start}s" if span == 10 else f"{start}–{start + 99}" for start in starts]
    return {
        "ordered": True,
        "labels": labels,
        "codes": [-1 if year is None else codes[year // span * span] for year in years],
    }


def _shares(shares: Sequence[float | None]) -> dict[str, Any]:
    def code(share: float | None) -> int:
        if share is None:
            return -1
        if share >= 1:
            return 5
        return 0 if share <= 0 else min(4, 1 + int((share - 1e-9) * 4))

    return {"ordered": True, "labels": list(SHARES), "codes": [code(share) for share in shares]}
