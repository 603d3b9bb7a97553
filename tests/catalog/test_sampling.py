"""Seeded choices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.catalog.sampling import seeded_sample

ids = st.sets(st.text(min_size=1, max_size=8), min_size=2, max_size=60)


@pytest.mark.slow
@given(ids=ids, seed=st.integers(0, 2**31 - 1), data=st.data())
def test_a_sample_has_its_size_and_ignores_order(
    ids: set[str], seed: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(ids)))
    shuffled = data.draw(st.permutations(sorted(ids)))
    chosen = seeded_sample(shuffled, size, seed)
    assert len(chosen) == size
    assert set(chosen) <= ids
    assert chosen == seeded_sample(sorted(ids), size, seed)


@pytest.mark.slow
@given(ids=ids, seed=st.integers(0, 2**31 - 1), data=st.data())
def test_a_new_id_displaces_at_most_one(ids: set[str], seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(ids)))
    before = set(seeded_sample(ids, size, seed))
    after = set(seeded_sample({*ids, "a newcomer"}, size, seed))
    assert len(before - after) <= 1


def test_seeds_choose_differently() -> None:
    names = [f"{number}" for number in range(1000)]
    first, second = set(seeded_sample(names, 100, 1)), set(seeded_sample(names, 100, 2))
    assert len(first & second) < 30  # 10 expected


def test_every_id_is_as_likely_as_any_other() -> None:
    names = [f"{number}" for number in range(20)]
    counts = dict.fromkeys(names, 0)
    for seed in range(2000):
        for name in seeded_sample(names, 5, seed):
            counts[name] += 1
    assert all(abs(count - 500) < 100 for count in counts.values())  # 5 standard deviations
