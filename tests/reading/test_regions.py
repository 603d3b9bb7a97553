"""The names of the map's regions, against counting by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.reading.facets import LABELS_KEPT, Facet, categories, periods, recovery_facet
from simsearch.reading.map_data import home
from simsearch.reading.regions import (
    LEAST_COUNT,
    LEAST_SHARE,
    inner_regions,
    log_odds,
    regions,
)


def made(*values: Sequence[str | None] | None) -> Facet:
    return categories("artist", "Artist", pa.array(values, pa.list_(pa.string())))


def test_a_region_is_named_by_what_is_common_there_and_rare_elsewhere() -> None:
    random = np.random.default_rng(1)
    left = random.uniform(0.05, 0.2, (30, 2))
    right = random.uniform(0.55, 0.95, (300, 2))
    artists = [["Munch"]] * 20 + [["Dahl"]] * 10 + [["Dahl"]] * 300
    named = regions(np.concatenate([left, right]), [made(*artists)], levels=(2,))
    assert len(named) == 1  # "Dahl" is everywhere and names nothing
    (region,) = named
    assert region.names[0].code == made(*artists).labels.index("Munch")
    assert region.count == 30
    assert region.names[0].share == pytest.approx(20 / 30)
    assert region.central < 20  # one of Munch's, not the nearest of all
    assert 0 <= region.x < 0.25


def dense_ball() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """600 artworks close together and four far out: [604, 2] in [0, 1]."""
    ball = np.random.default_rng(1).normal((0.4, 0.5), 0.005, (600, 2))
    return np.concatenate([ball, [[0.0, 0.5], [1.0, 0.5], [0.4, 0.0], [0.4, 1.0]]])


def test_a_dense_ball_in_a_wide_halo_gets_names_where_it_lies() -> None:
    points = dense_ball()
    facet = made(*(["Munch"] if x < 0.4 else ["Dahl"] for x, _ in points))
    assert regions(points, [facet], levels=(2,)) == []
    named = inner_regions(points, [facet], levels=(2,))
    places = {facet.labels[region.names[0].code]: region.x for region in named}
    assert set(places) == {"Munch", "Dahl"}
    assert 0.385 < places["Munch"] < 0.4 < places["Dahl"] < 0.415


def test_a_map_opens_on_its_dense_ball_and_otherwise_whole() -> None:
    x, y, scale = home(dense_ball())
    assert (x, y) == pytest.approx((0.4, 0.5), abs=0.005)
    inside = np.abs(dense_ball() - (x, y)).max(axis=1) <= 0.5 / scale
    assert 580 <= inside.sum() <= 600
    assert home(np.random.default_rng(2).uniform(size=(600, 2))) == (0.5, 0.5, 1)
    assert home(np.array([[0.5, 0.5]])) == (0.5, 0.5, 1)


def test_what_says_nothing_names_no_region() -> None:
    points = np.concatenate([np.full((20, 2), 0.1), np.full((200, 2), 0.9)])
    artists = [["Unknown artist"]] * 20 + [["Dahl"]] * 200
    assert all(region.x > 0.5 for region in regions(points, [made(*artists)], levels=(2,)))


def test_squares_of_one_name_are_one_region() -> None:
    points = np.array([[x, 0.1] for x in np.linspace(0.02, 0.48, 40)] + [[0.9, 0.9]] * 300)
    artists = [["Munch"]] * 40 + [["Dahl"]] * 300
    munch = [region for region in regions(points, [made(*artists)], levels=(3,)) if region.y < 0.5]
    assert [region.count for region in munch] == [40]


def test_an_artwork_of_two_artists_counts_for_both() -> None:
    facet = made(["Christo", "Jeanne-Claude"], ["Christo"], [])
    numbers, codes = facet.pairs()
    pairs = {(int(n), facet.labels[c]) for n, c in zip(numbers, codes, strict=True)}
    assert pairs == {(0, "Christo"), (0, "Jeanne-Claude"), (1, "Christo")}
    assert facet.codes[2] == -1


@pytest.mark.slow
@given(
    st.lists(
        st.none() | st.lists(st.none() | st.sampled_from(["a", "b ", " b", "c", ""]), max_size=4),
        min_size=1,
        max_size=30,
    )
)
def test_a_facet_holds_what_plain_counting_finds(rows: list[list[str | None] | None]) -> None:
    facet = made(*rows)
    cleaned = [{text.strip() for text in row or () if text and text.strip()} for row in rows]
    counts = Counter(value for row in cleaned for value in row)
    assert list(facet.labels) == sorted(counts, key=lambda value: (-counts[value], value))
    numbers, codes = facet.pairs()
    labelled = sorted((int(n), facet.labels[c]) for n, c in zip(numbers, codes, strict=True))
    assert labelled == sorted((n, value) for n, row in enumerate(cleaned) for value in row)
    for number, row in enumerate(rows):
        first = next((text.strip() for text in row or () if text and text.strip()), None)
        code = int(facet.codes[number])
        assert (facet.labels[code] if code >= 0 else None) == first


def test_a_facet_lists_the_commonest_values_and_no_more_than_a_browser_bears() -> None:
    facet = made(*([[f"artist {number}"] for number in range(LABELS_KEPT + 5)] + [["last"]] * 2))
    assert facet.labels[0] == "last"
    assert len(facet.labels) == LABELS_KEPT


def test_periods_are_decades_where_all_lie_close_and_centuries_else() -> None:
    assert periods([1888, 1891, None]).labels == ("1880s", "1890s")
    assert periods([1420, 1891]).labels == ("1400–1499", "1800–1899")
    assert periods([1888, 1891, None]).codes.tolist() == [0, 1, -1]


def test_recovered_shares_are_told_in_six_steps() -> None:
    shares = [None, 0.0, 0.2, 0.25, 0.5, 0.99, 1.0]
    assert recovery_facet("found:a", "A", shares).codes.tolist() == [-1, 0, 1, 1, 2, 4, 5]


@pytest.mark.slow
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 4000), st.integers(1, 4000))
def test_a_score_is_positive_just_where_a_value_is_more_common_than_elsewhere(
    here: int, others: int, elsewhere: int, rest: int
) -> None:
    total, everywhere = here + others + elsewhere + rest, np.array([here + elsewhere])
    (score,) = log_odds(np.array([here]), np.array([here + others]), everywhere, total)
    more = here * rest - others * elsewhere  # odds inside against odds outside
    assert abs(score) < 1e-6 if more == 0 else np.sign(score) == np.sign(more)


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_name_fits_its_region_and_the_same_input_gives_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.random((400, 2))
    facet = made(*[[f"artist {int(20 * x)}"] for x in points[:, 0]])
    named = regions(points, [facet])
    assert named == regions(points, [facet])
    for region in named:
        assert region.count >= LEAST_COUNT
        assert all(name.share >= LEAST_SHARE and name.score > 0 for name in region.names)
        assert facet.codes[region.central] == region.names[0].code
