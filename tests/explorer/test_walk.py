"""Walks, against a plain Dijkstra over plain lists."""

from __future__ import annotations

import heapq
import html
import re
from itertools import pairwise

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from simsearch.reading.findings.neighbour_lists import NeighbourLists, neighbour_lists
from simsearch.reading.library import Library
from simsearch.reading.view import SnapshotView
from simsearch.reading.walk import neighbour_graph, shortest_walk
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, settings
from tests.support.gallery import FIRST


@pytest.fixture(scope="module")
def view(snapshot: Snapshot) -> SnapshotView:
    config = settings(snapshot.storage.root)
    return Library(config, [config.root]).view()


def plain_length(edges: dict[tuple[int, int], float], first: int, last: int) -> float | None:
    """Dijkstra as in a textbook, over undirected edges."""
    best, todo = {first: 0.0}, [(0.0, first)]
    while todo:
        length, here = heapq.heappop(todo)
        if here == last:
            return length
        for (start, end), step in edges.items():
            neighbour = end if start == here else start if end == here else None
            if neighbour is not None and length + step < best.get(neighbour, np.inf):
                best[neighbour] = length + step
                heapq.heappush(todo, (length + step, neighbour))
    return None


def edges_of(lists: NeighbourLists) -> dict[tuple[int, int], float]:
    return {
        (min(row, int(other)), max(row, int(other))): float(distance)
        for row, line in enumerate(lists.numbers)
        for other, distance in zip(line, lists.distances[row], strict=True)
        if other >= 0
    }


@bounded(max_examples=30, deadline=None)
@given(ends=st.tuples(st.integers(0, 23), st.integers(0, 23)), k=st.integers(1, 4))
def test_a_walk_is_as_short_as_any_or_says_how_near_it_gets(
    view: SnapshotView, ends: tuple[int, int], k: int
) -> None:
    whole = neighbour_lists(view, GIVEN)
    lists = NeighbourLists(whole.numbers[:, :k], whole.distances[:, :k])
    edges = edges_of(lists)
    first, last = ends
    walk = shortest_walk(view, GIVEN, neighbour_graph(lists), first, last)
    steps = list(pairwise(walk.numbers))
    assert walk.numbers[0] == first
    assert all((min(step), max(step)) in edges for step in steps)
    expected = plain_length(edges, first, last)
    if expected is None:
        assert walk.gap is not None
        assert all(
            view.distance(GIVEN, int(view.item_of_artwork[other]), int(view.item_of_artwork[last]))
            >= walk.gap
            for other in range(len(view))
            if plain_length(edges, first, other) is not None
        )
    else:
        assert (walk.numbers[-1], walk.gap) == (last, None)
        assert sum(walk.distances) == pytest.approx(expected, abs=1e-5)


def test_equal_pictures_are_one_step_apart() -> None:
    lists = NeighbourLists(np.array([[1], [0], [-1]]), np.array([[0.0], [0.0], [np.inf]]))
    assert neighbour_graph(lists).nnz == 2


def test_an_end_is_searched_for_and_the_address_names_both_ends_and_the_space(
    site: httpx.Client,
) -> None:
    page = site.get("/artwork", params={"id": FIRST}).text
    (start,) = re.findall(r'href="([^"]+)">Walk to another', page)
    asked = httpx.URL(html.unescape(start)).copy_merge_params({"q": "no. 13", "space": GIVEN})
    page = site.get(asked).text
    (end,) = re.findall(r'class="card" href="([^"]+)"', page)
    assert f"space={GIVEN}" in end
    walk = site.get(html.unescape(end)).text
    assert walk.count("alike to the one before") == walk.count('class="step"') >= 1
    assert site.get("/walk", params={"id": FIRST, "to": "none"}).status_code == 404
