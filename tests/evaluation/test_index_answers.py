"""What the index answers, put in order by lists that exact search made, against asking the index."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from simsearch.evaluation.index_answers import candidates_in_order, drop_query, index_answers
from simsearch.evaluation.lists import Lists, searched
from simsearch.indexes import candidates
from simsearch.indexes.exact import recall
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.indexes.write import write_index
from simsearch.storage.storage import Storage
from tests.indexes.test_index import images, write
from tests.support.spaces import SPACE

ITEMS = 2000


@pytest.fixture(autouse=True, scope="module")
def cheap_lookups() -> Iterator[None]:
    """With what Annoy's lookups really cost, exact search would answer for so few items."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(candidates, "READ_PER_LOOKUP", 16)
        yield


def opened(folder: str, seed: int, *, doubles: int = 0) -> OpenIndex:
    """An index in whose few components the variance lies, so that few candidates are asked for."""
    random = np.random.default_rng(seed)
    falling = np.float32(0.5) ** np.arange(24, dtype=np.float32)
    rows = random.normal(size=(ITEMS, 24)).astype(np.float32) * falling
    rows[100 : 100 + doubles] = rows[100]
    storage = Storage(folder)
    manifest = write_index(
        storage,
        "index",
        images(ITEMS),
        rows,
        SPACE,
        components=4,
        trees=10,
        seed=1,
        neighbours=10,
        target_recall=0.95,
    )
    return open_index(storage, "index", manifest.fingerprint)


@hypothesis.given(
    seed=st.integers(0, 2**16),
    n=st.integers(1, 12),
    spare=st.integers(0, 40),
    doubles=st.sampled_from([0, 8]),
)
@hypothesis.settings(max_examples=25, deadline=None)
def test_lists_put_candidates_in_the_order_that_the_index_does(
    seed: int, n: int, spare: int, doubles: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = opened(folder, seed, doubles=doubles)
        assert not index.manifest.exact_for(n + 1)
        assert index.units is not None
        queries = np.arange(60, 140)
        true = searched(index.units, np.arange(ITEMS), queries, n + spare)
        answers = index_answers(index, queries, n, true)
        asked = drop_query(index.near(queries, n + 1), queries, n)
    np.testing.assert_array_equal(answers.items, asked.items)
    np.testing.assert_array_equal(answers.distances, asked.distances)


def test_what_the_index_misses_stays_missed(tmp_path: Path) -> None:
    index = opened(str(tmp_path), 0)
    assert index.units is not None
    queries = np.arange(200)
    assert index.candidates(queries, 11) is not None
    true = searched(index.units, np.arange(ITEMS), queries, 10)
    assert 0.9 < recall(index_answers(index, queries, 10, true), true.first(10)) < 1


def test_candidates_come_in_the_order_of_the_list_and_a_short_list_is_told() -> None:
    true = Lists(
        np.array([[1, 2, 3], [5, 4, -1], [0, 1, 2]]),
        np.array([[0.1, 0.2, 0.3], [0.1, 0.4, np.inf], [0.1, 0.2, 0.3]]),
        np.full(3, 1.0),
    )
    given = np.array([[3, 1, -1], [4, 2, 5], [2, 5, 3]])
    kept, short = candidates_in_order(given, true, 2, 6)
    assert kept.items.tolist() == [[1, 3], [5, 4], [2, -1]]
    assert kept.distances[:2] ** 2 == pytest.approx(np.array([[0.1, 0.3], [0.1, 0.4]]))
    assert short.tolist() == [2]


def test_white_noise_is_answered_by_exact_search(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    manifest = write(storage, components=4)
    index = open_index(storage, "indexes/test", manifest.fingerprint)
    assert index.units is not None
    assert index.candidates(np.arange(5), 11) is None
    true = searched(index.units, np.arange(500), np.arange(5), 10)
    answers = index_answers(index, np.arange(5), 10, true)
    np.testing.assert_array_equal(answers.items, true.first(10).items)
