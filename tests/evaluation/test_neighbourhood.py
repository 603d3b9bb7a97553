"""Neighbour quality without copies, and near-duplicates that are no misses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.evaluation.labels import Labels
from simsearch.evaluation.metrics import Scores, scores_table
from simsearch.evaluation.neighbourhood import k_occurrence, label_precision, overlap
from simsearch.evaluation.paired_tests import compare_spaces
from simsearch.evaluation.ranking import average_precision
from simsearch.evaluation.scoring import (
    neighbourhood_scores,
    original_lists,
    rankings,
    study_scores,
)
from simsearch.features.vectors import unit_rows
from simsearch.indexes.exact import Neighbours, drop_query, exact_search
from simsearch.neighbours.numbering import NumberedImages


def lists(seed: int, n: int = 20, k: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(np.delete(np.arange(n), row))[:k] for row in range(n)])


@pytest.mark.slow
@given(seed=st.integers(0, 300), k=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_label_precision_is_that_of_a_plain_loop(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    words = [
        [str(word) for word in rng.choice(4, rng.integers(0, 3), replace=False)] for _ in range(20)
    ]
    items = lists(seed)
    hits, chance, ceiling = label_precision(items, Labels.of(words), k)
    labelled = [row for row in range(20) if words[row]]
    alike = [[bool(set(words[a]) & set(words[b])) and a != b for b in range(20)] for a in labelled]
    expected = [
        np.mean([bool(set(words[row]) & set(words[other])) for other in items[row, :k]])
        for row in labelled
    ]
    np.testing.assert_allclose(hits, expected)
    np.testing.assert_allclose(chance, [sum(row) / 19 for row in alike])
    np.testing.assert_allclose(ceiling, [min(k, sum(row)) / k for row in alike])


@given(seed=st.integers(0, 300), n=st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_only_the_query_is_dropped_from_its_neighbours_and_gaps_stay_gaps(
    seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    items = lists(seed, n=8, k=7)
    items[rng.random(items.shape) < 0.2] = -1
    queries = rng.integers(0, 8, 8)
    kept_neighbours = drop_query(
        Neighbours(items, np.divide(items, 8, dtype=np.float32)), queries, n
    )
    for row, query in enumerate(queries):
        kept = [item for item in items[row].tolist() if item not in (-1, query)][:n]
        gaps = n - len(kept)
        assert kept_neighbours.items[row].tolist() == kept + [-1] * gaps
        assert (
            kept_neighbours.distances[row].tolist() == [item / 8 for item in kept] + [np.inf] * gaps
        )


def test_random_neighbours_reach_chance_and_no_more() -> None:
    rng = np.random.default_rng(0)
    words = [[str(word)] for word in rng.integers(0, 5, 600)]
    hits, chance, _ = label_precision(lists(1, 600, 10), Labels.of(words), 10)
    error = hits.std() / np.sqrt(len(hits))
    assert abs(hits.mean() - chance.mean()) < 4 * error


def test_an_unknown_artist_is_no_label() -> None:
    unknown = [
        "Unknown artist",
        "unknown",
        None,
        "Anonymous, Dutch",
        "Various",
        "various French artists",
    ]
    known = ["Goya", " goya ", "Various & Gould", "AnonyMouse"]
    labels = Labels.of([*([name] for name in (*unknown, *known)), []])
    assert np.diff(labels.matrix.indptr).tolist() == [0] * 6 + [1] * 4 + [0]
    assert labels.matrix.shape[1] == 3


def test_spaces_that_agree_overlap_wholly() -> None:
    items = lists(3)
    assert overlap(items, items[:, ::-1], 5).tolist() == [1.0] * 20
    assert overlap(items, np.full_like(items, -1), 5).tolist() == [0.0] * 20
    assert overlap(np.array([[1, 2, 3, 4]]), np.array([[4, 9, 1, 8]]), 4).tolist() == [0.5]


def test_a_hub_makes_the_occurrences_skewed() -> None:
    star = np.zeros((30, 1), np.int64)
    star[0] = 1
    counts = k_occurrence(star, 1)
    assert counts[0] == 29
    assert counts.sum() == 30
    ring = np.roll(np.arange(30), 1)[:, None]
    assert scipy.stats.skew(counts) > 5
    assert k_occurrence(ring, 1).tolist() == [1] * 30


def collection(seed: int = 0) -> tuple[NumberedImages, np.ndarray]:
    """Ten artworks, the first six with two copies; unit vectors, copies close to their originals."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(10, 8))
    rows, vectors = [], []
    for number in range(10):
        for profile in (None, "rotate-3", "blur-1") if number < 6 else (None,):
            rows.append(
                {
                    "image_id": f"{number}{profile}",
                    "artwork_id": f"w{number}",
                    "profile": profile,
                    "content_hash": str(number),
                }
            )
            spread = 0 if profile is None else 0.8
            vectors.append(base[number] + spread * rng.normal(size=8))
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    numbered = NumberedImages.of(images, ("rotate-3", "blur-1"))
    return numbered, unit_rows(np.array(vectors, np.float32))


def everything(numbered: NumberedImages, units: np.ndarray) -> Neighbours:
    """All other images of every original, nearest first."""
    nearest = exact_search(units, units[numbered.originals], len(units))
    keep = nearest.items != numbered.originals[:, None]
    shape = (len(numbered.originals), len(units) - 1)
    return Neighbours(nearest.items[keep].reshape(shape), nearest.distances[keep].reshape(shape))


def test_a_groups_ranking_leaves_out_the_other_copies_of_the_query() -> None:
    numbered, units = collection()
    nearest = everything(numbered, units)
    by_group = {group: ranking for group, ranking, _ in rankings(numbered, nearest, 100)}
    assert list(by_group) == ["all", "rotate-3", "blur-1"]
    assert by_group["all"].relevant.tolist() == [2] * 6
    for place, group in enumerate(("rotate-3", "blur-1")):
        ranking = by_group[group]
        assert ranking.relevant.tolist() == [1] * 6
        for row in range(6):
            left = [
                item
                for item in nearest.items[row]
                if numbered.artworks[item] != row or numbered.profiles[item] == place
            ]
            rank = next(n for n, item in enumerate(left, 1) if numbered.artworks[item] == row)
            assert average_precision(ranking)[row] == pytest.approx(1 / rank)


def test_a_near_duplicate_is_no_miss() -> None:
    numbered, units = collection()
    twin = units.copy()
    # Artwork 9 becomes a picture of artwork 0: nearer to it than any copy.
    twin[-1] = unit_rows(twin[:1] + np.float32(1e-4))
    nearest = everything(numbered, twin)
    assert nearest.items[0, 0] == len(units) - 1
    counted = next(rankings(numbered, nearest, 100))[1]
    spared = next(rankings(numbered.with_near([(0, 9)]), nearest, 100))[1]
    assert not counted.hits[0, 0]
    assert average_precision(spared)[0] > average_precision(counted)[0]
    np.testing.assert_array_equal(spared.hits[1:], counted.hits[1:])
    spared_recall, counted_recall = (
        np.array(
            [score.values[0] for score in study_scores(images, nearest, range(1, 20))][1::3][:19]
        )
        for images in (numbered.with_near([(0, 9)]), numbered)
    )
    np.testing.assert_array_equal(spared_recall[:-1], counted_recall[1:])


def test_lists_of_originals_hold_no_copies_and_no_near_duplicates() -> None:
    numbered, units = collection()
    nearest = everything(numbered, units)
    plain = original_lists(numbered, nearest, 5)
    alone = exact_search(units[numbered.originals], units[numbered.originals], 6).items
    expected = [[item for item in row if item != place][:5] for place, row in enumerate(alone)]
    np.testing.assert_array_equal(plain, expected)
    first = int(plain[3, 0])
    spared = original_lists(numbered.with_near([(3, first)]), nearest, 5)
    assert spared[3, 0] == plain[3, 1]
    assert 3 not in spared[first]


def test_a_label_that_no_two_works_share_is_not_scored() -> None:
    items = lists(0, 20, 10)
    alone = Labels.of([[str(number)] for number in range(20)])
    pairs = Labels.of([[str(number // 2)] for number in range(20)])
    groups = {
        score.group for score in neighbourhood_scores(items, {"alone": alone, "pairs": pairs})
    }
    assert groups == {"pairs", "originals"}


def test_spaces_are_compared_over_the_same_originals() -> None:
    rng = np.random.default_rng(0)
    ids = [f"w{n:03}" for n in rng.permutation(60)]
    better, worse = rng.random(60) * 0.1 + 0.7, rng.random(60) * 0.1 + 0.6
    tables = []
    for space, values in (("good", better), ("poor", worse), ("poor-too", worse)):
        order = rng.permutation(60)  # tables need not come in the same order
        measured = [Scores("all", 100, "map", values[order], np.ones(60))]
        tables.append(
            scores_table(measured, space=space, search="exact", artwork_ids=[ids[n] for n in order])
        )
    rows = compare_spaces(pa.concat_tables(tables), resamples=200, seed=1).to_pylist()
    by_pair = {(row["first"], row["second"]): row for row in rows}
    assert set(by_pair) == {("good", "poor"), ("good", "poor-too"), ("poor", "poor-too")}
    same = by_pair["poor", "poor-too"]
    assert (same["difference"], same["p_holm"]) == (0, 1)
    differs = by_pair["good", "poor"]
    assert differs["difference"] == pytest.approx((better - worse).mean())
    assert differs["ci_low"] > 0
    assert differs["p_value"] * 2 <= differs["p_holm"] < 1e-6
