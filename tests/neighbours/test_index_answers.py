"""The index's answers in the order of exact search's lists, against asking the index."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.evaluation.scoring import study_scores
from simsearch.features.vectors import unit_rows
from simsearch.indexes import candidates
from simsearch.indexes.exact import drop_query, recall
from simsearch.indexes.index import OpenIndex, open_index
from simsearch.indexes.write import write_index
from simsearch.neighbours.index_answers import (
    leave_out_near_duplicates,
    order_candidates,
    search_by_index,
)
from simsearch.neighbours.lists import Lists, search_lists
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.search import _search_slice
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.storage.storage import Storage
from tests.indexes.test_index import images, write
from tests.support.spaces import SPACE
from tests.support.spaces import vectors as random_vectors

ITEMS = 2000


@pytest.fixture(autouse=True, scope="module")
def cheap_lookups() -> Iterator[None]:
    """With what Annoy's lookups really cost, exact search would answer for so few items."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(candidates, "READ_PER_LOOKUP", 16)
        yield


def opened(folder: str, seed: int, *, doubles: int = 0) -> OpenIndex:
    """An index of vectors with most variance in few components, so that few candidates are asked for."""
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


@pytest.mark.slow
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
        queries = np.arange(60, 140)
        true = search_lists(index.units, np.arange(ITEMS), queries, n + spare)
        answers = search_by_index(index, queries, n, true)
        asked = drop_query(index.near(queries, n + 1), queries, n)
    np.testing.assert_array_equal(answers.items, asked.items)
    np.testing.assert_array_equal(answers.distances, asked.distances)


@pytest.mark.slow
def test_what_the_index_misses_stays_missed(tmp_path: Path) -> None:
    index = opened(str(tmp_path), 0)
    queries = np.arange(200)
    assert index.candidates(queries, 11) is not None
    true = search_lists(index.units, np.arange(ITEMS), queries, 10)
    assert 0.9 < recall(search_by_index(index, queries, 10, true), true.first(10)) < 1


def test_candidates_come_in_the_order_of_the_list_and_a_short_list_is_told() -> None:
    true = Lists(
        np.array([[1, 2, 3], [5, 4, -1], [0, 1, 2]]),
        np.array([[0.1, 0.2, 0.3], [0.1, 0.4, np.inf], [0.1, 0.2, 0.3]]),
        np.full(3, 1.0),
    )
    given = np.array([[3, 1, -1], [4, 2, 5], [2, 5, 3]])
    kept, short = order_candidates(given, true, 2, 6)
    assert kept.items.tolist() == [[1, 3], [5, 4], [2, -1]]
    assert kept.distances[:2] ** 2 == pytest.approx(np.array([[0.1, 0.3], [0.1, 0.4]]))
    assert short.tolist() == [2]


@pytest.mark.slow
def test_white_noise_is_answered_by_exact_search(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    manifest = write(storage, components=4)
    index = open_index(storage, "indexes/test", manifest.fingerprint)
    assert index.candidates(np.arange(5), 11) is None
    true = search_lists(index.units, np.arange(500), np.arange(5), 10)
    answers = search_by_index(index, np.arange(5), 10, true)
    np.testing.assert_array_equal(answers.items, true.first(10).items)


@dataclass(frozen=True)
class OpenedAnswers(StoredLists):
    opened: OpenIndex

    def index(self) -> OpenIndex:
        return self.opened


@pytest.mark.slow
def test_the_index_is_asked_for_as_many_as_a_user_is_shown(tmp_path: Path) -> None:
    index = opened(str(tmp_path), 0)
    assert not index.manifest.exact_for(11)
    assert index.manifest.exact_for(500 + 1)  # so long a list would be that of exact search
    answers = OpenedAnswers(None, SPACE.name, 500, 60, 10, 450, index)  # type: ignore[arg-type]
    queries = np.arange(0, ITEMS, 9)
    search: Any = vars(_search_slice)["_function"]  # in this process, without Ray
    answer = search(answers, np.arange(ITEMS), None, queries)
    asked = drop_query(index.near(queries, 11), queries, 10)
    np.testing.assert_array_equal(answer.annoy.items, asked.items)
    assert recall(answer.annoy, answer.among_images.first(10)) < 1


PROFILES = ("rotate-3", "blur-1", "jpeg-3")


def shared_pictures(artworks: int, sharing: int) -> tuple[NumberedImages, np.ndarray]:
    """Artworks in groups of `sharing` that show the same picture, and their copies' perfect vectors."""
    rows = [
        {
            "image_id": f"{number}{profile}",
            "artwork_id": f"w{number:03}",
            "profile": profile,
            "content_hash": str(number // sharing),
        }
        for number in range(artworks)
        for profile in (None, *PROFILES)
    ]
    pictures = random_vectors(artworks, seed=5)[np.arange(artworks) // sharing]
    images = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    numbered = NumberedImages.of(images, PROFILES)
    groups = np.arange(artworks).reshape(-1, sharing)
    pairs = [(int(a), int(b)) for group in groups for a in group for b in group if a < b]
    return numbered.with_near(pairs), np.repeat(unit_rows(pictures), 1 + len(PROFILES), axis=0)


@pytest.mark.parametrize("sharing", [1, 2, 6, 12])
@pytest.mark.parametrize("lookup", [1, 10**6])  # Annoy answers, or all vectors are compared
def test_however_many_share_a_picture_a_perfect_space_is_perfect_by_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sharing: int, lookup: int
) -> None:
    monkeypatch.setattr(candidates, "READ_PER_LOOKUP", lookup)
    numbered, units = shared_pictures(24, sharing)
    storage = Storage(str(tmp_path))
    manifest = write_index(
        storage, "index", images(len(units)), units, SPACE, trees=10, seed=1,
        neighbours=5, target_recall=0.99,
    )  # fmt: skip
    index = open_index(storage, "index", manifest.fingerprint)
    near_first = drop_query(index.near(numbered.originals, 6), numbered.originals, 5)
    answered = leave_out_near_duplicates(lambda: index, numbered, near_first)
    assert answered.items.shape == (24, 5)
    for score in study_scores(numbered, answered, (1, 3, 5)):
        if score.group != "all":  # one profile's score depends on the order of equals
            continue
        assert score.values.tolist() == pytest.approx(score.ceiling.tolist())
    if lookup == 1:
        return
    for place, query in enumerate(numbered.originals.tolist()):
        others = [
            item
            for item in np.argsort(np.linalg.norm(units - units[query], axis=1), kind="stable")
            if item != query
            and (
                numbered.artworks[item] == place
                or numbered.artworks[item] // sharing != place // sharing
            )
        ]
        assert answered.items[place].tolist() == others[:5]


def test_an_index_is_opened_only_where_there_are_near_duplicates() -> None:
    numbered, units = shared_pictures(24, 1)
    true = search_lists(units, np.arange(len(units)), numbered.originals, 5).first(5)

    def never() -> OpenIndex:
        raise AssertionError("opened")

    np.testing.assert_array_equal(
        leave_out_near_duplicates(never, numbered, true).items, true.items
    )
