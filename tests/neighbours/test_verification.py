"""What geometry verifies depends on the pictures alone, and no pair is compared twice: not after a kill, and
not when a picture comes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image, ImageDraw

from simsearch.features.points import StoredPoints
from simsearch.geometry.points import Points, points_of
from simsearch.neighbours import verification
from simsearch.neighbours.agreements import PicturePairs, StoredAgreements
from simsearch.neighbours.verification import Verified, _Shards, verify_pairs
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

WORKS = 6


def drawn(seed: int) -> Image.Image:
    """A picture of many shapes, which has corners to be recognised by."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (480, 360), tuple(random.integers(0, 255, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(150):
        x, y, width, height = (random.random(4) * (480, 360, 70, 70)).tolist()
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((x, y, x + width, y + height), fill=tuple(random.integers(0, 255, 3).tolist()))
    return picture


@pytest.fixture(scope="module")
def points() -> dict[str, Points]:
    """The points of works, named by numbers, and of a part of the first two."""
    pictures = {f"{number}": drawn(number) for number in range(WORKS)}
    pictures |= {f"{n}-part": drawn(n).crop((60, 40, 460, 350)) for n in (0, 1)}
    return {name: points_of(np.asarray(shown)) for name, shown in pictures.items()}


compared: list[frozenset[str]] = []


@pytest.fixture(autouse=True)
def in_this_process() -> Iterator[None]:
    """Compares without Ray, and notes which pairs."""

    def compare_all(
        stored: StoredAgreements, shards: _Shards, pairs: PicturePairs, _config: object
    ) -> None:
        for names, first, second in shards.parts(pairs.of(stored.missing(pairs))):
            compared.extend(map(frozenset, zip(first, second, strict=True)))
            verification.compare(stored, names, first, second)

    compared.clear()
    with (
        mock.patch.object(verification, "_compare_all", compare_all),
        mock.patch.object(verification, "PAIRS_A_TASK", 5),
    ):
        yield


def verified(
    root: Path, points: dict[str, Points], near: list[tuple[int, int]] | None = None
) -> Verified:
    """The pairs `near` of these pictures, in order of their names, are candidates; all where None."""
    stored = StoredPoints(Storage(str(root)), "sift")
    held = set(stored.stored().table["content_hash"].to_pylist())
    stored.write({name: data for name, data in points.items() if name not in held})
    hashes = np.array(sorted(points), object)
    first, second = np.triu_indices(len(hashes), 1) if near is None else np.array(near).T
    codes = first * len(hashes) + second
    return verify_pairs(StoredAgreements(stored), hashes, codes, 1, Config().ray)


def pairs_of(result: Verified) -> list[tuple[str, str]]:
    rows = result.rows.to_pylist()
    return [(row["first_hash"], row["second_hash"]) for row in rows]


@pytest.mark.slow
def test_planted_parts_are_verified_and_no_pair_is_compared_twice(
    tmp_path: Path, points: dict[str, Points]
) -> None:
    result = verified(tmp_path, points)
    assert pairs_of(result) == [("0", "0-part"), ("1", "1-part")]
    assert result.rows["false_alarms"].to_numpy().max() < 1e-3
    assert len(compared) == len(set(compared)) == 28
    compared.clear()
    assert verified(tmp_path, points).rows.equals(result.rows)
    assert compared == []


@pytest.mark.slow
def test_a_picture_that_comes_costs_its_own_pairs(
    tmp_path: Path, points: dict[str, Points]
) -> None:
    """The result is that of comparing all at once."""
    before = {name: data for name, data in points.items() if name != "0-part"}
    assert pairs_of(verified(tmp_path / "a", before)) == [("1", "1-part")]
    compared.clear()
    rows = verified(tmp_path / "a", points).rows
    assert {*compared} == {frozenset(("0-part", name)) for name in before}
    assert rows.equals(verified(tmp_path / "b", points).rows)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, points: dict[str, Points]) -> None:
    whole = verified(tmp_path / "a", points).rows
    compared.clear()
    calls, compare = [0], verification.compare

    def killed(*asked: object) -> int:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return compare(*asked)  # type: ignore[arg-type]

    with (
        mock.patch.object(verification, "compare", killed),
        pytest.raises(KeyboardInterrupt),
    ):
        verified(tmp_path / "b", points)
    done = set(compared[:10])
    compared.clear()
    assert verified(tmp_path / "b", points).rows.equals(whole)
    assert len(compared) == 28 - 10
    assert not done & set(compared)


@pytest.mark.slow
def test_pictures_without_points_are_counted_and_no_candidates(
    tmp_path: Path, points: dict[str, Points]
) -> None:
    verified(tmp_path, {name: points[name] for name in ("0", "1")})
    stored = StoredAgreements(StoredPoints(Storage(str(tmp_path)), "sift"))
    hashes = np.array(["0", "1", "x"], object)
    result = verify_pairs(stored, hashes, np.array([1, 2, 5]), 1, Config().ray)
    counts = [len(points["0"]), len(points["1"]), -1]
    assert (result.chance.compared, result.counts.tolist(), result.rows.num_rows) == (1, counts, 0)


def test_of_many_copies_of_a_picture_all_pairs_are_verified_though_each_is_near_a_few(
    tmp_path: Path,
) -> None:
    """Networks have ten pictures near each, so that of twenty copies of one many pairs are no candidates."""
    sides = (480, 440, 400, 360, 320)
    shown = {f"copy-{side}": drawn(0).resize((side, side * 3 // 4)) for side in sides}
    shown["another"] = drawn(1)
    points = {name: points_of(np.asarray(picture)) for name, picture in shown.items()}
    chain = [(number, number + 1) for number in range(len(sides))]  # the first is the other work
    with mock.patch.object(verification, "CHANCE_PAIRS", 0):
        result = verified(tmp_path, points, chain)
        copies = sorted(shown)[1:]
        assert pairs_of(result) == list(combinations(copies, 2))
        assert result.chance.compared == len(compared) == len(set(compared)) == 11
        assert verified(tmp_path, points, chain).rows.equals(result.rows)
        assert len(compared) == 11
