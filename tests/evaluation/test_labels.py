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


@pytest.mark.slow
@given(labels=collections, few=st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_the_originals_that_share_a_label_are_those_of_each_compared_with_each(
    labels: list[list[str | None]], few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_LABELS", few)
        assert Labels.of(labels).alike.tolist() == brute_force(labels)


def test_one_name_in_two_encodings_is_one_label() -> None:
    variants = ["André Derain", "Andre\u0301 Derain", "ANDRÉ\u00a0DERAIN", "André\u3000Derain"]
    assert Labels.of([[name] for name in variants]).alike.tolist() == [3] * 4


@pytest.mark.parametrize(
    "words",
    [
        "unknown",
        "[Unknown artist]",
        "(anonymous)",
        "n/a",
        "?",
        "-",
        "not known",
        "None",
        "anoniem",
        "Unbekannter Meister",
        "Inconnu",
        "Anónimo",
        "Okänd",
        "неизвестный художник",
        "佚名",
        "Various",
        "[various]",
        "Various artists",
    ],
)
def test_two_works_by_nobody_known_share_no_artist(words: str) -> None:
    assert Labels.of([[words]] * 2).alike.tolist() == [0, 0]


@pytest.mark.parametrize(
    "name", ["AnonyMouse", "Various & Gould", "Nonell", "Nathaniel", "Ignotius Loyola"]
)
def test_names_that_begin_like_such_words_are_names(name: str) -> None:
    assert Labels.of([[name]] * 2).alike.tolist() == [1, 1]


@pytest.mark.slow
@given(labels=collections, groups=st.lists(st.lists(st.integers(0, 24), max_size=6), max_size=4))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("pairs", [0, 4096])
def test_near_duplicates_share_no_label_however_their_group_is_counted(
    labels: list[list[str | None]], groups: list[list[int]], pairs: int
) -> None:
    members = [sorted({place for place in group if place < len(labels)}) for group in groups]
    near = [(place, group) for group in members for place in group]
    rows = {place: set(group) for place, group in near}  # each original has its group once
    near_groups = [(np.array([place]), np.array(sorted(group))) for place, group in rows.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAIRS_OF_A_SMALL_GROUP", pairs)
        patch.setattr(module, "_WORDS_AT_ONCE", 3)
        counted = Labels.of(labels, near_groups)
    for place in range(len(labels)):
        both = [labels[place], *(labels[other] for other in rows.get(place, {place}) - {place})]
        expected = brute_force(labels)[place] - brute_force(both)[0]
        assert counted.alike[place] == expected
        assert counted.others[place] == len(labels) - len(both)


@pytest.mark.slow
def test_many_labels_that_many_share_are_compared_in_little_time() -> None:
    """As bits: a sparse product of the same 6,000 rows has 36 million entries and takes ten times as long."""

    def seconds(count: int) -> float:
        drawn = np.random.default_rng(0).integers(0, 40, (6_000, count)).astype(str).tolist()
        matrix = module.label_matrix(drawn)
        began = time.process_time()
        module.alike_counts(matrix)
        return time.process_time() - began

    few = min(seconds(2) for _ in range(2))
    assert seconds(12) < 15 * few + 0.4


@pytest.mark.slow
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
