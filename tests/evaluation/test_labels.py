"""How many others an original shares a label with: as comparing each with each has it, in linear time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.evaluation import labels as module
from simsearch.evaluation.labels import Labels

words = st.sampled_from(["a", "b", "c", " A ", "d e", "d  E", "unknown", "Unknown hand", "", None])
many = st.integers(0, 14).map(str)
collections = st.lists(
    st.one_of(st.lists(words, max_size=4), st.lists(many, max_size=14)), max_size=25
)


def brute_force(labels: list[list[str | None]]) -> list[int]:
    """By the definition: each original against each other."""
    known = [
        {" ".join(word.split()).casefold() for word in row if word and word.strip()}
        for row in labels
    ]
    known = [{word for word in row if not word.startswith("unknown")} for row in known]
    return [
        sum(bool(own & other) for place, other in enumerate(known) if place != row)
        for row, own in enumerate(known)
    ]


@given(labels=collections, few=st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_the_originals_that_share_a_label_are_those_of_each_compared_with_each(
    labels: list[list[str | None]], few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_LABELS", few)
        assert Labels.of(labels).alike.tolist() == brute_force(labels)


def test_a_label_that_all_share_costs_no_more_than_the_originals() -> None:
    """Comparing each with each would take 2,500 times as long for 50 times as many."""

    def seconds(n: int) -> float:
        drawn = np.random.default_rng(0).integers(0, 50, (n, 2)).astype(str).tolist()
        labels = [["painting", *row] for row in drawn]
        began = time.process_time()
        shared = Labels.of(labels)
        assert (shared.alike == n - 1).all()
        return time.process_time() - began

    seconds(100)
    few = min(seconds(1_000) for _ in range(3))
    assert seconds(50_000) < 250 * few
