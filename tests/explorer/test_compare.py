"""What two pictures have in common is drawn where it lies, said in words, and the transform drawn is the stored one."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.features.points import AGREEMENTS, StoredPoints, agreements_parts
from simsearch.geometry.false_alarms import Chance
from simsearch.neighbours.agreements import agreements_table
from simsearch.neighbours.chance import CollectionChance, read_chance, write_chance
from simsearch.reading.chance_words import chance_words, rounded_up
from simsearch.reading.findings.listed_pairs import ListedPair, ListedPairs
from simsearch.reading.library import Library
from simsearch.reading.picture_pairs import PairGeometry, PicturePair
from simsearch.reading.sets import encode
from simsearch.reading.stored_points import PointReader
from simsearch.reading.view import SnapshotView
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_pairs import ANOTHER, ASKED, COPY, COPY_SIZE, FIRST, FLAT, SIZE, TRUE
from tests.support.explorer_site import GIVEN, settings
from tests.support.markup import one_line

UNKNOWN = "a/005?&é"
NUMBER = r"(-?[\d.]+)"

Matrix = npt.NDArray[np.float64]


@pytest.fixture
def view(pairs_snapshot: Snapshot) -> SnapshotView:
    config = settings(pairs_snapshot.storage.root)
    return Library(config, [config.root]).view()


def transform_on(page: str) -> Matrix | None:
    drawn = re.search(r'data-transform="([^"]*)"', page)
    return np.array(json.loads(html.unescape(drawn[1]))).reshape(3, 3) if drawn else None


def compared(pairs: httpx.Client, first: str, other: str) -> tuple[Matrix | None, str]:
    page = pairs.get("/compare", params={"id": first, "other": other})
    assert page.status_code == 200
    return transform_on(page.text), one_line(page.text)


def moved(transform: Matrix, places: Matrix) -> Matrix:
    ends = np.column_stack([places, np.ones(len(places))]) @ transform.T
    return ends[:, :2] / ends[:, 2:]


@pytest.mark.slow
def test_the_transform_drawn_is_the_stored_one_and_from_the_other_side_its_inverse(
    pairs: httpx.Client, pairs_snapshot: Snapshot
) -> None:
    table = pairs_snapshot.storage.read_table(pairs_snapshot.near_duplicates_path)
    stored = np.array(table["transform"][0].as_py()).reshape(3, 3)
    drawn, page = compared(pairs, FIRST, COPY)
    assert drawn is not None
    assert drawn.tolist() == stored.tolist()
    assert "The same picture, mirrored: " in page
    assert "chance gives at most 10⁻⁸ such pairs in this collection." in page
    back, _ = compared(pairs, COPY, FIRST)
    assert back is not None
    places = np.random.default_rng(1).uniform(20, 200, (50, 2))
    assert moved(back, moved(stored, places)) == pytest.approx(places, abs=1e-6)


def drawn_points(svg: str) -> tuple[Matrix, Matrix]:
    """The points in both pictures of a drawing, as shares of their sides."""
    frames = re.findall(
        rf'<image [^>]*x="{NUMBER}" y="{NUMBER}" width="{NUMBER}" height="{NUMBER}"', svg
    )
    assert len(frames) == 2
    circles = re.findall(rf'<circle cx="{NUMBER}" cy="{NUMBER}"', svg)
    ends = np.array(circles, float).reshape(-1, 2, 2)
    shares = [
        (ends[:, place] - np.array(frame[:2], float)) / np.array(frame[2:], float)
        for place, frame in enumerate(frames)
    ]
    return shares[0], shares[1]


@pytest.mark.slow
def test_points_are_drawn_on_their_partners_in_both_drawings(pairs: httpx.Client) -> None:
    page = pairs.get("/alike", params={"id": FIRST, "other": COPY, "space": GIVEN}).text
    drawings = page.split("<svg")[1:]
    count = re.search(r"(\d+) points agree", page)
    assert count
    assert len(drawings) == 2
    for drawing in drawings:
        starts, ends = drawn_points(drawing)
        assert len(starts) == int(count[1])
        off = moved(TRUE, starts * SIZE) - ends * COPY_SIZE
        assert np.hypot(*off.T).max() < 12  # 2.5 of the 256 pixels in which geometry measures
        assert drawing.count('<polygon class="outline"') == 2


def test_a_pair_that_no_run_compared_is_compared_when_asked(pairs: httpx.Client) -> None:
    drawn, page = compared(pairs, FIRST, ASKED)
    assert drawn is not None
    assert re.search(r"\d+ points agree; chance gives at most 10⁻\S+ such pairs", page)
    scales = (
        256 / SIZE[0],
        256 / 900,
    )  # of the first picture, and of the crop of 900 × 720 pixels at (100, 80)
    places = np.random.default_rng(2).uniform((200, 200), (900, 700), (50, 2))
    crop = moved(drawn, places * scales[0]) / scales[1]
    assert crop == pytest.approx(places - (100, 80), abs=3)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (FLAT, "Geometry sees too little in the second picture to say anything: it has 0 points"),
        (ANOTHER, "Geometry sees nothing that the two pictures have in common"),
        (UNKNOWN, "No points of the second picture are stored"),
    ],
)
def test_where_geometry_sees_nothing_both_pictures_stand_there_and_it_is_said(
    pairs: httpx.Client, other: str, words: str
) -> None:
    page = one_line(pairs.get("/alike", params={"id": FIRST, "other": other}).text)
    assert words in page
    assert "<svg" not in page
    assert page.split('<ul class="two">')[1].split("</ul>")[0].count("<img") == 2
    drawn, page = compared(pairs, FIRST, other)
    assert drawn is None
    assert words in page
    assert 'data-mode="fade"' not in page


def pair_of(view: SnapshotView, first: str, other: str) -> PicturePair:
    artworks = view.artwork(first), view.artwork(other)
    listed = ListedPairs(view).between(artworks[0].number, artworks[1].number)
    return PairGeometry(PointReader()).of(view, *artworks, listed)


def test_a_run_without_geometry_knows_equal_bytes_only(view: SnapshotView) -> None:
    off = view.plan.settings.geometry.model_copy(update={"enabled": False})
    view.plan = replace(view.plan, settings=view.plan.settings.model_copy(update={"geometry": off}))
    assert "Geometry was off" in pair_of(view, FIRST, ANOTHER).sentence
    same = pair_of(view, FIRST, FIRST)
    assert (same.sentence, same.transform.tolist() if same.transform is not None else None) == (
        "Both works show the same file.",
        np.eye(3).tolist(),
    )


def test_what_agrees_as_chance_gives_is_counted_and_not_drawn(
    view: SnapshotView, pairs_snapshot: Snapshot
) -> None:
    stored = read_chance(pairs_snapshot)
    try:
        write_chance(pairs_snapshot, CollectionChance(Chance(1.0, 1e6), 1234), {})
        pair = pair_of(view, FIRST, ASKED)
    finally:
        write_chance(pairs_snapshot, stored, {})
    assert pair.transform is None
    assert re.search(
        r"nothing .*: \d+ points agree, and chance gives 1,234 such pairs", pair.sentence
    )


def test_without_opencv_a_listed_pair_is_aligned_and_the_extra_is_named(
    view: SnapshotView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "simsearch.geometry.agreement", None)
    listed = pair_of(view, FIRST, COPY)
    assert listed.transform is not None
    assert listed.agreement is None
    assert (
        'The points are not drawn. Comparing two pictures needs OpenCV: pip install "simsearch[run]"'
        in listed.sentence
    )
    assert pair_of(view, FIRST, ASKED).transform is None


@pytest.mark.slow
def test_a_pair_listed_without_a_region_of_many_works_is_drawn_as_it_was_compared(
    view: SnapshotView,
) -> None:
    first, other = view.artwork(FIRST), view.artwork(COPY)
    stored = StoredPoints.of(view.plan.settings, view.snapshot.storage)
    assert stored is not None
    hashes: Sequence[str] = sorted((first.content_hash, other.content_hash))
    row = agreements_table(hashes[:1], hashes[1:], PointReader().read(stored, hashes))
    (values,) = row.to_pylist()
    shifted = np.array(values["transform"]).reshape(3, 3)
    shifted[0, 2] += 5
    row = pa.Table.from_pylist([values | {"transform": shifted.ravel().tolist()}], AGREEMENTS)
    agreements_parts(view.snapshot.storage, f"{stored.fingerprint}-1-without-ab").write(row)
    as_first = shifted if first.content_hash == hashes[0] else np.linalg.inv(shifted)
    listed = ListedPair(
        first.number, other.number, "edited", 9, 0.1, True, as_first / as_first[2, 2]
    )
    pair = PairGeometry(PointReader()).of(view, first, other, listed)
    assert pair.agreement is not None
    assert pair.agreement.transform == pytest.approx(listed.transform)
    assert "9 points agree; chance gives 0.1 such pairs" in pair.sentence
    elsewhere = replace(listed, transform=np.eye(3))
    assert PairGeometry(PointReader()).of(view, first, other, elsewhere).agreement is None


@pytest.mark.slow
def test_pages_of_near_duplicates_lead_to_the_comparison(pairs: httpx.Client) -> None:
    for address in ("/findings/duplicates", "/artwork"):
        page = pairs.get(address, params={"id": COPY} if address == "/artwork" else {}).text
        assert "/compare?" in page
    assert "mirrored, " in one_line(pairs.get("/artwork", params={"id": COPY}).text)
    assert "/compare?" not in pairs.get("/artwork", params={"id": ANOTHER}).text


@given(st.floats(1e-320, 1e6) | st.sampled_from([0.5, 1.0, 9.5, 10.0, 0.001, 1e-5, 1e-12, 1e6]))
def test_the_number_of_false_alarms_is_never_said_too_low(alarms: float) -> None:
    words = chance_words(alarms)
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    if words.startswith("at most 10"):
        said = Fraction(10) ** int(words.removeprefix("at most 10").translate(raised))
        assert alarms <= 0.001
    else:
        said = Fraction(words.replace(",", ""))
    assert Fraction(repr(alarms)) <= said
    assert said <= max(
        Fraction(1, 10**12),
        10 * Fraction(repr(alarms)) if alarms <= 0.001 else 2 * Fraction(repr(alarms)),
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (0.31, "0.4"), (0.96, "1"), (2.4e-9, "3e-09"), (0.25, "0.3"), (1.0, "1")],
)
def test_a_number_in_a_table_is_rounded_up(number: float, text: str) -> None:
    assert rounded_up(number) == text


@pytest.mark.slow
@given(
    st.sampled_from(["detail of", "has detail", "version"]),
    st.lists(st.floats(-0.2, 0.2), min_size=4, max_size=4),
)
def test_a_pair_swapped_twice_is_the_pair(relation: str, numbers: list[float]) -> None:
    a, b, c, d = numbers
    transform = np.array([[1 + a, b, 30.0], [c, 1 + d, -8.0], [0.0001, 0, 1.0]])
    pair = ListedPair(1, 2, relation, 9, 0.1, False, transform)
    there, again = pair.swapped(), pair.swapped().swapped()
    assert (there.first, there.other) == (2, 1)
    assert {relation, there.relation} in ({"detail of", "has detail"}, {"version"})
    assert again.transform == pytest.approx(transform)
    assert replace(again, transform=None) == replace(pair, transform=None)


def test_works_in_which_geometry_sees_nothing_are_named_as_such(
    pairs: httpx.Client, pairs_snapshot: Snapshot, view: SnapshotView
) -> None:
    write_chance(pairs_snapshot, read_chance(pairs_snapshot), {FLAT: 0})
    page = one_line(pairs.get("/findings/duplicates").text)
    assert "The picture of 1 work has too little texture" in page
    (address,) = re.findall(r'href="([^"]*Where\+geometry[^"]*)"', page)
    assert f"ids={encode([view.artwork(FLAT).number])}&" in html.unescape(address)
