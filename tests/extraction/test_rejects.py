"""The message about rejects: per reason a count and an example with its path."""

from __future__ import annotations

import pyarrow as pa

from simsearch import schemas
from simsearch.extraction.rejects import (
    count_failures,
    count_sharing,
    placeholder_row,
    reject_lines,
)


def row(artwork: str, reason: str, detail: str | None = "why") -> dict[str, str | None]:
    return {
        "artwork_id": artwork,
        "image_uri": f"s3://b/{artwork}.jpg",
        "stage": "decode",
        "reason": reason,
        "detail": detail,
        "etag": None,
    }


def test_reasons_are_counted_each_with_an_example_and_its_path() -> None:
    rows = [row("a", "broken"), row("b", "not found"), row("c", "not found", None)]
    table = pa.Table.from_pylist(rows, schema=schemas.REJECTS)
    assert reject_lines(table) == [
        "2 not found (such as s3://b/b.jpg: why)",
        "1 broken (such as s3://b/a.jpg: why)",
    ]


def test_a_picture_of_many_artworks_is_a_placeholder_and_no_damage() -> None:
    hashes = pa.array(["same", "own", "same", None, "same", None, None])
    assert count_sharing(hashes, 3).tolist() == [
        3,
        0,
        3,
        0,
        3,
        0,
        0,
    ]  # what is not known is not the same
    assert not count_sharing(hashes, 4).any()
    assert not count_sharing(hashes, None).any()
    rows = [placeholder_row(row("a", ""), 3), row("d", "broken")]
    assert count_failures(pa.Table.from_pylist(rows, schema=schemas.REJECTS)) == 1
    assert "stands for 3 artworks" in rows[0]["detail"]
