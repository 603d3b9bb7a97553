"""The findings, against plain NumPy and the stored tables."""

from __future__ import annotations

import html
import io
import re
from itertools import combinations

import httpx
import numpy as np
import pytest
from PIL import Image

from simsearch.explorer.pages.findings.disagreement import disagreement_page
from simsearch.explorer.pages.findings.other_hands import other_hands_page
from simsearch.explorer.pages.site import Site
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.reading.findings.neighbour_lists import fold
from simsearch.reading.library import Library
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_findings import BOX, DETAILS, LABELLED, STANDING_FOR, examples
from tests.support.explorer_site import GIVEN, NETWORK, settings
from tests.support.markup import one_line


def nearest(snapshot: Snapshot, space: str, k: int) -> tuple[list[str], np.ndarray]:
    """The ids of the artworks in the catalog's order, and each one's k nearest others by number."""
    images = snapshot.images()
    vectors = feature_store.read_vectors(snapshot.storage, snapshot.plan().space(space), images)
    originals = np.flatnonzero(images["profile"].is_null().to_numpy())
    units = unit_rows(vectors)[originals].astype(float)
    similarity = units @ units.T
    np.fill_diagonal(similarity, -2)
    return images["artwork_id"].to_numpy()[originals].tolist(), np.argsort(-similarity)[:, :k]


def ids_in(page: str) -> list[str]:
    """The artworks that cards lead to, in their order."""
    addresses = re.findall(r'class="card" href="[^"]*?id=([^"&]*)', page)
    return [html.unescape(httpx.URL(f"?id={address}").params["id"]) for address in addresses]


def site_of(snapshot: Snapshot) -> Site:
    config = settings(snapshot.storage.root)
    return Site(Library(config, [config.root]))


def test_near_duplicates_that_hang_together_are_one_group_nearest_first(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    page = one_line(site.get("/findings/duplicates").text)
    assert "5 works in 2 groups" in page
    numbers = [int(artwork_id[2:5]) for artwork_id in ids_in(page)]
    assert (numbers[:2], numbers[2:]) == ([8, 9], [4, 5, 6])
    assert "<dt>title</dt><dd>Étude no. 5</dd>" in page
    assert "<dt>dimensions</dt>" not in page  # the same in all entries
    table = site.get("/tables/near-duplicates.csv").text.splitlines()
    assert len(table) == 1 + 3 + len(DETAILS)
    assert "85</td>" in page


def test_a_part_that_returns_is_listed_once_cut_out_of_each_work(site: httpx.Client) -> None:
    """Pairs are joined by one part of a work, and not by two parts of it."""
    page = one_line(site.get("/findings/details").text)
    assert "2 parts that return" in page
    details, labelled = page.split("<h2>What is on many pictures</h2>")
    assert [int(artwork_id[2:5]) for artwork_id in ids_in(details)] == [10, 11, 12, 11, 13]
    assert "3 works, shared detail" in details
    assert "2 works, one frame" in details
    boxes = re.findall('viewBox="([0-9. ]+)"', page)
    assert len(boxes) == 5 + len(LABELLED)
    assert list(map(float, boxes[0].split())) == BOX
    assert labelled.count("5 works</h3>") == 1
    assert [int(artwork_id[2:5]) for artwork_id in ids_in(labelled)] == list(LABELLED)
    assert "2 parts return in different pictures. 1 is on many" in one_line(
        site.get("/findings").text
    )


def test_a_hub_is_near_to_as_many_as_plain_numpy_counts(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    ids, nearest_rows = nearest(snapshot, GIVEN, 10)
    counts = np.bincount(nearest_rows.ravel(), minlength=len(ids))
    page = site.get("/findings/hubs", params={"space": GIVEN}).text
    counts_shown = [int(times) for times in re.findall(r"near to (\d+)</span>", page)]
    assert counts_shown == sorted(counts[counts > 0].tolist(), reverse=True)
    assert {artwork_id: counts[ids.index(artwork_id)] for artwork_id in ids_in(page)} == dict(
        zip(ids_in(page), counts_shown, strict=True)
    )


@pytest.mark.slow
def test_agreement_is_what_two_spaces_have_in_common(snapshot: Snapshot) -> None:
    site = site_of(snapshot)
    view = site.library.view()
    ranking = disagreement_page(site, view, 1).ranking
    assert ranking is not None
    by_space = [nearest(snapshot, space, 10)[1] for space in (GIVEN, NETWORK)]
    shared = [len(set(first) & set(second)) / 10 for first, second in zip(*by_space, strict=True)]
    assert ranking.agreement.tolist() == sorted(shared)
    assert [shared[number] for number in ranking.order] == sorted(shared)


def test_alike_pairs_are_by_different_hands_and_no_near_duplicates(
    site: httpx.Client, snapshot: Snapshot
) -> None:
    pages = site_of(snapshot)
    values = other_hands_page(pages, pages.library.view(), GIVEN, 1)
    pairs = [(first, second) for first, second, _ in values.pairs]
    assert pairs
    for first, second in pairs:
        assert first.artists != second.artists
        assert {first.artwork_id[2:5], second.artwork_id[2:5]} != {"008", "009"}
    scores = [scores[GIVEN] for _, _, scores in values.pairs]
    assert scores == sorted(scores, reverse=True)
    ids, nearest_rows = nearest(snapshot, GIVEN, 10)
    neighbours = {frozenset((row, other)) for row in range(len(ids)) for other in nearest_rows[row]}
    artists = [number % 4 == 0 for number in range(len(ids))]
    expected = [pair for pair in neighbours if len({artists[number] for number in pair}) == 2]
    left_out = {frozenset((4, 5)), frozenset((8, 9))} & set(expected)
    assert values.total == len(expected) - len(left_out)
    assert site.get("/findings/other-hands", params={"space": "none"}).status_code == 400


def test_a_placeholder_is_shown_with_what_it_stands_for(site: httpx.Client) -> None:
    page = one_line(site.get("/findings/placeholders").text)
    assert f"{STANDING_FOR} works</h2>" in page
    assert page.count("<code>blank/") == STANDING_FOR
    (address,) = re.findall(r'<img src="(/findings/[^"]+)"', page)
    picture = Image.open(io.BytesIO(site.get(address).content))
    assert (picture.format, picture.size) == ("WEBP", (80, 60))
    assert site.get(re.sub(r"/[0-9a-f]{20}-", "/0-", address)).status_code == 404


def test_what_a_space_learned_is_shown_in_curves_and_its_own_pictures(site: httpx.Client) -> None:
    page = one_line(site.get("/findings/learned").text)
    assert "4 epochs: 4 at first, 1 at the lowest, 1.5 at the end" in page
    addresses = re.findall(r'<img src="(/findings/learned/[^"]+)"', page)
    assert len(addresses) == 4 * 3 + 5
    shown = np.asarray(Image.open(io.BytesIO(site.get(addresses[4]).content)))
    np.testing.assert_array_equal(shown[::12, ::12], examples()["made"][1])
    for wrong in ("made-3", "losses-0", "made--1"):
        assert site.get(f"/findings/learned/0/{wrong}.png").status_code == 404
    assert site.get("/findings/learned/7/made-0.png").status_code == 404


def test_older_snapshots_lists_are_folded_from_the_evaluated_images(snapshot: Snapshot) -> None:
    view = site_of(snapshot).library.view()
    lists = fold(view, view.stored(GIVEN, "exact"))
    for number, row in enumerate(lists.numbers.tolist()):
        known = [other for other in row if other >= 0]
        assert row == known + [-1] * (len(row) - len(known))
        assert number not in known
        assert all(first != second for first, second in combinations(known, 2))
    copied = view.copies[:, 0] >= 0
    assert (lists.numbers[~copied] >= 0).any(axis=1).all()
