"""Two laws for every score: a network that tells nothing apart scores as chance does, a perfect one 1.

The reference compares all images with all, in float64, and takes the mean over every order of equally
distant images by trying each. The code has short lists, and deepens them where it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import Scores, ranking_measures
from simsearch.evaluation.neighbourhood import k_occurrence, label_precision, overlap
from simsearch.evaluation.pooling import pooled_scores
from simsearch.evaluation.scoring import original_lists, profile_groups, rankings, study_scores
from simsearch.features.vectors import unit_rows
from simsearch.indexes.exact import Neighbours, drop_query, exact_search
from simsearch.neighbours.deepening import _exact, _following, _short
from simsearch.neighbours.lists import search_lists
from simsearch.neighbours.numbering import NumberedImages

PROFILES = ("rotate-1", "blur-1")
KS = (1, 2, 3)
DEPTH = 4


def numbered_of(
    contents: list[int], copied: int, profiles: tuple[str, ...] = PROFILES
) -> NumberedImages:
    """Artworks that show the pictures `contents`; the first `copied` have a copy of each profile."""
    rows = [
        {
            "image_id": f"{number:04}{profile or ''}",
            "artwork_id": f"{number:04}",
            "profile": profile,
            "content_hash": str(content),
        }
        for number, content in enumerate(contents)
        for profile in (None, *(profiles if number < copied else ()))
    ]
    return NumberedImages.of(pa.Table.from_pylist(rows, schema=schemas.IMAGES), profiles)


def scored_lists(
    numbered: NumberedImages, units: np.ndarray, needed: int, spare: int, seed: int = 0
) -> tuple[Neighbours, np.ndarray]:
    """Lists as a run has them: cut, and deepened where near-duplicates or ties make them too short."""
    depth = min(needed + spare, len(units) - 1)
    everything = np.arange(len(units))
    stored = search_lists(units, everything, numbered.originals, depth)
    lists, beyond = stored.first(depth), np.zeros(len(numbered.originals), np.int64)
    rows = _short(numbered, lists, needed, _following(stored, depth))
    for deeper in _exact(numbered, units, everything, rows, depth, seed):
        replaced, more = deeper.over(lists)
        lists, beyond = replaced, np.where(np.isin(np.arange(len(more)), deeper.rows), more, beyond)
    return lists, beyond


def orders(groups: list[list[bool]]) -> Iterator[list[bool]]:
    """Each way in which the relevant images of each group of equally distant ones may stand."""
    ways = []
    for group in groups:
        places = combinations(range(len(group)), sum(group))
        ways.append([[place in chosen for place in range(len(group))] for chosen in places])
    for way in product(*ways):
        yield [hit for group in way for hit in group]


def reference(
    numbered: NumberedImages,
    units: np.ndarray,
    near: set[tuple[int, int]],
    members: list[int],
    row: int,
) -> list[list[bool]]:
    """One original's list, by distance: groups of equally distant images, True for the relevant."""
    vectors = units.astype(np.float64)
    item = numbered.originals[row]
    gaps = np.linalg.norm(vectors - vectors[item], axis=1)
    gaps[~vectors.any(axis=1)] = np.sqrt(2)
    if not vectors[item].any():
        gaps[:] = np.sqrt(2)
    groups: dict[float, list[bool]] = {}
    for other in range(len(units)):
        own = numbered.artworks[other] == numbered.artworks[item]
        same = numbered.pictures[other] == numbered.pictures[item] and not own
        pair = (int(numbered.pictures[item]), int(numbered.pictures[other]))
        wanted = own and int(numbered.profiles[other]) in members
        if other == item or same or pair in near or pair[::-1] in near or (own and not wanted):
            continue
        groups.setdefault(round(float(gaps[other]), 5), []).append(bool(wanted))
    return [groups[gap] for gap in sorted(groups)]


def expected(groups: list[list[bool]], relevant: int) -> dict[str, float]:
    """The mean of each score over all orders."""
    scores: dict[str, list[float]] = {}
    for whole in orders(groups):
        hits = np.array(whole[:DEPTH] + [False] * (DEPTH - len(whole)))
        precision = hits.cumsum() / np.arange(1, DEPTH + 1)
        first = np.flatnonzero(hits)
        values = {
            "map": (precision * hits).sum() / relevant,
            "mrr": 1 / (first[0] + 1) if len(first) else 0.0,
            "r_precision": hits[:relevant].sum() / relevant,
            **{f"recall_curve {k}": hits[:k].sum() / relevant for k in KS},
        }
        for name, value in values.items():
            scores.setdefault(name, []).append(float(value))
    return {name: float(np.mean(values)) for name, values in scores.items()}


@st.composite
def spaces(draw: st.DrawFn) -> tuple[NumberedImages, np.ndarray, list[tuple[int, int]]]:
    """Small collections with ties, zero vectors, doubles and near-duplicates: vectors of few values."""
    contents = draw(st.lists(st.integers(0, 6), min_size=1, max_size=7))
    numbered = numbered_of(contents, draw(st.integers(1, len(contents))))
    rows = st.tuples(*(st.integers(-1, 1) for _ in range(2)))
    vectors = draw(st.lists(rows, min_size=len(numbered.artworks), max_size=len(numbered.artworks)))
    places = st.integers(0, len(contents) - 1)
    near = draw(st.lists(st.tuples(places, places), max_size=3))
    units = unit_rows(np.array(vectors, np.float32).reshape(-1, 2))
    return numbered, units, [(a, b) for a, b in near if contents[a] != contents[b]]


@pytest.mark.slow
@given(space=spaces(), spare=st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_scores_are_those_of_all_images_compared_in_every_order_of_ties(
    space: tuple[NumberedImages, np.ndarray, list[tuple[int, int]]], spare: int
) -> None:
    numbered, units, pairs = space
    pictures = numbered.pictures[numbered.originals]
    near = {(int(pictures[a]), int(pictures[b])) for a, b in pairs}
    numbered = numbered.with_near(pairs)
    lists, beyond = scored_lists(numbered, units, DEPTH + len(PROFILES), spare)
    rows = np.flatnonzero(numbered.have_copies)
    for group, ranking, _ in rankings(numbered, lists, DEPTH, beyond):
        members = profile_groups(numbered.names)[group]
        scores = list(ranking_measures(group, ranking))
        for place, row in enumerate(rows):
            groups = reference(numbered, units, near, members, int(row))
            for name, value in expected(groups, len(members)).items():
                metric, _, k = name.partition(" ")
                scored = [
                    score.values[place]
                    for score in scores
                    if score.metric == metric and (not k or score.k == int(k))
                ]
                if scored:  # a collection of few images has no longer rankings
                    assert scored == [pytest.approx(value)], (group, name, row)
    for score in study_scores(numbered, lists, KS, beyond):
        if (score.group, score.metric) == ("all", "recall"):
            wanted = [
                expected(reference(numbered, units, near, [0, 1], int(row)), 2) for row in rows
            ]
            recalls = [own[f"recall_curve {score.k}"] for own in wanted]
            np.testing.assert_allclose(score.values, recalls, atol=1e-9)


def all_scores(
    numbered: NumberedImages, units: np.ndarray, depth: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Each score over all copies and its ceiling; micro-average precision and recall at precision 0.9."""
    lists, beyond = scored_lists(numbered, units, depth + len(numbered.names), 50)
    scores: list[Scores] = list(study_scores(numbered, lists, (1, 5, 10), beyond))
    group, ranking, pool = next(rankings(numbered, lists, depth, beyond))
    scores += ranking_measures(group, ranking)
    values = {
        f"{score.group} {score.metric} {score.k}": float(score.values.mean()) for score in scores
    }
    tops = {
        f"{score.group} {score.metric} {score.k}": float(score.ceiling.mean()) for score in scores
    }
    micro, recall = pooled_scores(pool, resamples=2, seed=0)
    return values | {"micro": micro.value, "p90": recall.value}, tops | {"micro": 1.0, "p90": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("sharing", [1, 2, 5, 6, 10, 19, 60, 300])
def test_a_perfect_space_scores_one_however_many_artworks_share_a_picture(sharing: int) -> None:
    profiles = ("grayscale", "downscale", "sharpen", "edge-enhance", "desaturate")
    contents = [number // sharing for number in range(max(2 * sharing, 40))]
    numbered = numbered_of(contents, len(contents), profiles)
    basis = np.eye(len(contents) // sharing + 1, dtype=np.float32)
    values, tops = all_scores(numbered, basis[numbered.pictures], 100)
    assert values == pytest.approx(tops)


@pytest.mark.parametrize("vector", [0.0, 1.0])
def test_a_space_that_gives_every_picture_one_vector_scores_as_chance_does(vector: float) -> None:
    """40 artworks with two copies each: a copy is equally likely at each rank of 119 other images."""
    numbered = numbered_of(list(range(40)), 40)
    values, _ = all_scores(numbered, np.full((120, 8), vector, np.float32) / np.float32(8**0.5), 60)
    for k in (1, 5, 10):
        assert values[f"all recall {k}"] == pytest.approx(k / 119)
        assert values[f"all precision {k}"] == pytest.approx(2 / 119)
        assert values[f"rotate-1 recovered {k}"] == pytest.approx(k / 119)
    assert values["all recall_curve 50"] == pytest.approx(50 / 119)
    assert values["all r_precision 60"] == pytest.approx(2 / 119)
    assert values["all map 60"] < 0.05
    assert (values["micro"], values["p90"]) == (0, 0)


@pytest.mark.slow
def test_neighbours_among_equal_vectors_share_labels_overlap_and_recur_as_chance_has_it() -> None:
    n, k = 300, 10
    numbered = numbered_of(list(range(n)), 0, ())
    units = np.full((n, 4), 0.5, np.float32)
    lists = [
        original_lists(numbered, scored_lists(numbered, units, k, 50, seed)[0], k, seed)
        for seed in (1, 2)
    ]
    labels = Labels.of(
        [[str(number // 30)] for number in range(n)]
    )  # works by one hand lie together
    hits, chance, _ = label_precision(lists[0], labels, k)
    assert hits.mean() == pytest.approx(chance.mean(), abs=4 * hits.std() / n**0.5)
    assert overlap(lists[0], lists[1], k).mean() == pytest.approx(k / (n - 1), abs=0.01)
    assert (
        k_occurrence(lists[0], k).max() < 30
    )  # in order of number, all would have the same ten neighbours


@pytest.mark.slow
@given(
    contents=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    near=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=4),
    words=st.lists(st.lists(st.sampled_from("abc"), max_size=2), min_size=12, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_near_duplicates_are_no_neighbours_by_chance_either(
    contents: list[int], near: list[tuple[int, int]], words: list[list[str]]
) -> None:
    n = len(contents)
    pairs = [(a, b) for a, b in near if a < n and b < n]
    numbered = numbered_of(contents, 0, ()).with_near(pairs)
    same = {(contents[a], contents[b]) for a, b in pairs}
    labels = Labels.of(words[:n], numbered.near_groups())
    for row in range(n):
        free = [
            other
            for other in range(n)
            if contents[other] != contents[row]
            and (contents[row], contents[other]) not in same
            and (contents[other], contents[row]) not in same
        ]
        assert labels.others[row] == len(free)
        assert labels.alike[row] == sum(bool(set(words[row]) & set(words[o])) for o in free)


@pytest.mark.slow
def test_a_random_space_has_the_labels_of_chance_where_many_artworks_show_one_picture() -> None:
    """Of 100 artworks 60 show one picture; 80 have one artist."""
    numbered = numbered_of([0] * 60 + list(range(1, 41)), 0, ())
    works = [["a"] if number < 80 else ["b"] for number in range(100)]
    labels = Labels.of(works, numbered.near_groups())
    random = np.random.default_rng(1)
    hits = []
    for _ in range(30):
        vectors = random.normal(size=(41, 8))[numbered.pictures]
        retrieved = exact_search(unit_rows(vectors), unit_rows(vectors), 100)
        lists = drop_query(retrieved, np.arange(100), 99)
        shares, chance, _ = label_precision(original_lists(numbered, lists, 10), labels, 10)
        hits.append(shares.mean())
    assert np.mean(hits) == pytest.approx(chance.mean(), abs=4 * np.std(hits) / 30**0.5)


def test_a_space_agrees_wholly_with_itself_where_few_neighbours_are_left() -> None:
    lists = np.array([[3, 1, -1], [2, 0, 3], [-1, -1, -1]])
    assert overlap(lists, lists, 3).tolist() == [1, 1, 0]
    assert overlap(lists, np.array([[3, -1, -1], [0, 2, 1], [-1, -1, -1]]), 3).tolist() == [
        0.5,
        pytest.approx(2 / 3),
        0,
    ]
