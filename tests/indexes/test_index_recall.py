"""The recall that an index names: of an item's nearest others, at each depth that is asked for."""

from pathlib import Path

import numpy as np
import pytest

from simsearch.features.vectors import unit_rows
from simsearch.indexes import candidates, index
from simsearch.indexes.annoy import check_queries
from simsearch.indexes.write import write_index
from simsearch.storage.storage import Storage
from tests.indexes.test_index import images, vectors
from tests.support.spaces import SPACE


def others_answered(opened: index.OpenIndex, units: np.ndarray, queries: np.ndarray, n: int) -> int:
    """How many of each item's `n` nearest others the index answers, by plain loops in float64."""
    hits = 0
    for query in queries.tolist():
        distances = np.linalg.norm(units.astype(np.float64) - units[query], axis=1)
        true = [item for item in np.argsort(distances, kind="stable") if item != query][:n]
        answered = opened.near([query], n + 1).items[0].tolist()
        hits += len((set(answered) - {query}) & set(true))
    return hits


@pytest.mark.slow
@pytest.mark.parametrize("lookup", [16, 10**6])  # Annoy answers, or all vectors are compared
def test_the_recall_of_each_depth_is_that_of_the_answers_without_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lookup: int
) -> None:
    monkeypatch.setattr(candidates, "READ_PER_LOOKUP", lookup)
    storage = Storage(str(tmp_path))
    spread = np.arange(1, 25, dtype=np.float32) ** -0.7
    units = unit_rows(vectors(1500) * spread)
    manifest = write_index(
        storage, "index", images(1500), units, SPACE, components=6, trees=10, seed=1,
        neighbours=10, target_recall=0.6, images_per_artwork=10,
    )  # fmt: skip
    assert list(manifest.recalls) == ["10", "109"]
    opened = index.open_index(storage, "index", manifest.fingerprint)
    assert opened.manifest == manifest
    queries = check_queries(1500, 1)
    for n, share in manifest.recalls.items():
        answered = others_answered(opened, units, queries, int(n))
        assert share == pytest.approx(answered / (int(n) * len(queries)), abs=1e-9)
        assert (share == 1) == manifest.exact_for(int(n) + 1)
    assert manifest.exact == (lookup > 16)
    if lookup == 16:
        assert manifest.recalls["10"] == manifest.recall
        assert 0.6 <= manifest.recall < 0.95


@pytest.mark.parametrize(("count", "depths"), [(1, ["0"]), (2, ["1"]), (7, ["6"])])
def test_an_index_of_few_items_finds_all_there_are(
    tmp_path: Path, count: int, depths: list[str]
) -> None:
    manifest = write_index(
        Storage(str(tmp_path)), "index", images(count), vectors(count), SPACE, trees=5, seed=1,
        neighbours=10, target_recall=0.99, images_per_artwork=6,
    )  # fmt: skip
    assert list(manifest.recalls) == depths
    assert manifest.recall == manifest.recalls[depths[0]] == 1


def test_equal_items_are_found_in_any_order(tmp_path: Path) -> None:
    same = np.ones((80, 24), np.float32)
    manifest = write_index(
        Storage(str(tmp_path)), "index", images(80), same, SPACE, trees=5, seed=1,
        neighbours=10, target_recall=0.99,
    )  # fmt: skip
    assert manifest.recalls == {"10": 1.0}
