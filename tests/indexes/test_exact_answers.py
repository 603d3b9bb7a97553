"""Exact search is used where Annoy, or comparing Annoy's candidates, would take longer."""

from pathlib import Path

import numpy as np
import pytest

from simsearch.indexes import candidates, index
from simsearch.indexes.exact import exact_search, recall_with_ties
from simsearch.storage.storage import Storage
from tests.indexes.test_index import vectors, write


@pytest.fixture(autouse=True)
def cheap_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what Annoy's lookups really cost, exact search would answer for so few items."""
    monkeypatch.setattr(candidates, "READ_PER_LOOKUP", 16)


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False])
def test_exact_search_answers_where_annoy_would_take_longer(tmp_path: Path, exact: bool) -> None:
    """A few directions tell vectors apart whose variances fall off steeply, but not white noise."""
    storage = Storage(str(tmp_path))
    rows = vectors() if exact else vectors() * np.float32(0.5) ** np.arange(24, dtype=np.float32)
    manifest = write(storage, rows=rows, components=4)
    opened = index.open_index(storage, "indexes/test", manifest.fingerprint)
    assert manifest.exact is exact
    true = exact_search(opened.units, opened.units, 11)
    answers = opened.near(range(500), 11)
    assert np.array_equal(answers.items, true.items) is exact
    assert recall_with_ties(answers, true, opened.units, opened.units) > 0.98


@pytest.mark.slow
def test_a_list_so_deep_that_annoy_gives_nearly_all_is_of_exact_search(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    rows = vectors() * np.float32(0.5) ** np.arange(24, dtype=np.float32)
    manifest = write(storage, rows=rows, components=4)
    opened = index.open_index(storage, "indexes/test", manifest.fingerprint)
    assert not manifest.exact_for(11)
    assert manifest.exact_for(200)
    true = exact_search(opened.units, opened.units[:50], 200)
    assert np.array_equal(opened.near(range(50), 200).items, true.items)
