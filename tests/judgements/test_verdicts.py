"""Verdicts: only ever added to, the newest counts, and what it says overrules geometry."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.judgements.verdicts import (
    Given,
    Verdict,
    add_verdicts,
    overrule,
    read_verdicts,
    snapshot_verdicts,
    verdict_parts,
)
from simsearch.storage.storage import Storage


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000+00:00"


def test_the_newest_verdict_counts_whichever_picture_it_names_first(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    detail = Given("b", "a", Verdict.DETAIL_OF, "Ada", at(3))
    add_verdicts(storage, [detail, Given("a", "b", Verdict.NOT, "Ben", at(2))])
    add_verdicts(storage, [Given("a", "c", Verdict.SAME_SCAN, "Ada", at(1))])
    add_verdicts(storage, [Given("c", "a", None, "Ben", at(4))])
    assert read_verdicts(storage) == {("a", "b"): detail}
    assert verdict_parts(storage).stored().table.num_rows == 4  # nothing that was said is lost
    add_verdicts(storage, [detail])  # as after a retry
    assert read_verdicts(storage) == {("a", "b"): detail}


def test_a_snapshot_has_the_verdicts_of_its_pictures_and_no_names() -> None:
    verdicts = {
        ("a", "b"): Given("b", "a", Verdict.COPY_AFTER, "Ada", at(1)),
        ("a", "z"): Given("a", "z", Verdict.NOT, "Ada", at(1)),
    }
    table = snapshot_verdicts(verdicts, pa.array(["a", "b", "a", "c"]))
    assert table.schema == schemas.VERDICTS
    assert table.to_pylist() == [
        {"first_hash": "b", "second_hash": "a", "verdict": "copy after"},
    ]


pictures = st.lists(st.sampled_from("pqrst"), min_size=2, max_size=8)


@pytest.mark.slow
@given(pictures, st.data())
def test_people_are_heard_and_geometry_where_they_are_silent(
    shown: list[str], data: st.DataObject
) -> None:
    """`shown` are the pictures of artworks. Against the rule, pair by pair."""
    artworks = list(combinations(range(len(shown)), 2))
    agreeing = {pair for pair in artworks if data.draw(st.booleans())}
    said = {
        pair: data.draw(st.sampled_from(Verdict))
        for pair in combinations(sorted(set(shown)), 2)
        if data.draw(st.booleans())
    }
    rows = []
    for pair, verdict in said.items():
        first, second = sorted(pair, reverse=data.draw(st.booleans()))
        rows.append({"first_hash": first, "second_hash": second, "verdict": str(verdict)})
    table = pa.Table.from_pylist(rows, schema=schemas.VERDICTS)
    pairs = np.array(sorted(agreeing), np.int64).reshape(-1, 2)
    heard = overrule(pairs, pa.array(shown), table)

    def same(a: int, b: int) -> bool:
        first, second = sorted((shown[a], shown[b]))
        if (first, second) in said:
            return said[first, second] not in (Verdict.NOT, Verdict.SAME_SERIES)
        return (a, b) in agreeing

    assert sorted(tuple(sorted(pair)) for pair in heard.tolist()) == [
        pair for pair in artworks if same(*pair)
    ]
