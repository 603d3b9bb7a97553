"""Indexes: exact search against brute force, Annoy against exact search, manifests against files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.errors import MismatchError, NotFoundError
from simsearch.features.vectors import unit_rows
from simsearch.indexes import index
from simsearch.indexes.annoy import build_annoy, open_annoy
from simsearch.indexes.exact import Neighbours, exact_search, recall, recall_with_ties
from simsearch.indexes.write import write_index
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE


def vectors(n: int = 500, d: int = 24, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def images(n: int) -> pa.Table:
    rows = [
        {
            "image_id": f"a{i:05}",
            "artwork_id": f"a{i:05}",
            "profile": None,
            "content_hash": f"{i:064}",
        }
        for i in range(n)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


def write(
    storage: Storage,
    folder: str = "indexes/test",
    seed: int = 71,
    rows: np.ndarray | None = None,
    components: int | None = None,
) -> index.IndexManifest:
    return write_index(
        storage,
        folder,
        images(500),
        vectors() if rows is None else rows,
        SPACE,
        components=components,
        trees=20,
        seed=seed,
        neighbours=10,
        target_recall=0.99,
    )


@pytest.mark.parametrize("items", [500, 3001])  # for 3,001, maxima of groups are computed first
@pytest.mark.parametrize("n", [1, 11])
def test_exact_search_equals_brute_force_in_float64(items: int, n: int) -> None:
    units = unit_rows(vectors(items))
    nearest = exact_search(units, units[:40], n)
    for query in range(40):
        distances = np.linalg.norm(
            units.astype(np.float64) - units[query].astype(np.float64), axis=1
        )
        assert nearest.items[query].tolist() == np.argsort(distances, kind="stable")[:n].tolist()
        np.testing.assert_allclose(nearest.distances[query], np.sort(distances)[:n], atol=1e-6)


@pytest.mark.parametrize("place", [0, 1500, 2999, 3000])
def test_the_nearest_is_found_wherever_it_lies(place: int) -> None:
    units = unit_rows(vectors(3001))
    query = unit_rows(vectors(1, seed=4))
    units[place] = query[0]
    nearest = exact_search(units, query, 1)
    assert (nearest.items[0, 0], nearest.distances[0, 0]) == (place, 0)


def test_near_copies_are_told_apart_below_float32_rounding_of_the_cosine() -> None:
    base = vectors(1)[0]
    nudge = np.zeros_like(base)
    nudge[0] = 1e-4
    stack = np.stack([base + 2 * nudge, base + nudge, base])
    nearest = exact_search(unit_rows(stack), unit_rows(stack[2:]), 3)
    assert nearest.items[0].tolist() == [2, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("zeros", [[0], [3, 7, 400]])
def test_a_zero_vector_is_as_far_as_annoy_has_it(tmp_path: Path, zeros: list[int]) -> None:
    rows = vectors()
    rows[zeros] = 0
    units = unit_rows(rows)
    build_annoy(rows, tmp_path / "zero.ann", trees=10, seed=1)
    annoy = open_annoy(tmp_path / "zero.ann", 24)
    nearest = exact_search(units, units[: max(zeros) + 1], len(units))
    for query in {0, *zeros}:
        for item, distance in zip(nearest.items[query], nearest.distances[query], strict=True):
            assert distance == pytest.approx(annoy.get_distance(query, int(item)), abs=1e-3)


def test_equal_distances_are_ordered_by_item_number() -> None:
    units = unit_rows(np.ones((6, 4), dtype=np.float32))
    assert exact_search(units, units[3:4], 4).items[0].tolist() == [0, 1, 2, 3]


def test_a_second_build_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build_annoy(vectors(), tmp_path / name, trees=20, seed=5)
    build_annoy(vectors(), tmp_path / "other", trees=20, seed=6)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_annoy_distances_are_the_exact_ones() -> None:
    storage_free = vectors(200)
    units = unit_rows(storage_free)
    true = exact_search(units, units[:20], 5)
    angular = np.sqrt(np.maximum(0, 2 - 2 * np.einsum("qd,qkd->qk", units[:20], units[true.items])))
    np.testing.assert_allclose(true.distances, angular, atol=1e-3)


@pytest.mark.slow
def test_an_opened_index_finds_an_item_by_its_own_vector(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    manifest = write(storage)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    nearest = opened.search(vectors()[17:18], 3)
    assert opened.images["image_id"][int(nearest.items[0, 0])].as_py() == "a00017"
    assert manifest.items == 500
    assert manifest.recall >= 0.99
    assert not manifest.trained


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.ann", "ids.parquet", "vectors.npy"])
def test_a_file_that_does_not_match_its_manifest_is_refused(tmp_path: Path, name: str) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    write(storage, "indexes/other", seed=72)
    data = bytearray(storage.read_bytes(f"indexes/test/{name}"))
    data[len(data) // 2] ^= 1
    storage.write_bytes(f"indexes/test/{name}", bytes(data))
    with pytest.raises(MismatchError, match=name):
        index.open_index(storage, "indexes/test", SPACE.fingerprint)
    index.open_index(storage, "indexes/other", SPACE.fingerprint)


@pytest.mark.slow
def test_another_feature_space_is_refused(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    with pytest.raises(MismatchError, match="wanted"):
        index.open_index(storage, "indexes/test", replace(SPACE, precision="bfloat16").fingerprint)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    with pytest.raises(MismatchError, match="a vector of 23 numbers"):
        opened.search(np.zeros((1, 23), dtype=np.float32), 3)


@pytest.mark.slow
def test_an_index_without_a_manifest_is_not_there(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    storage.delete("indexes/test/manifest.json")
    with pytest.raises(NotFoundError, match="no finished index"):
        index.open_index(storage, "indexes/test", SPACE.fingerprint)


@pytest.mark.slow
def test_whatever_the_components_the_index_reaches_its_target(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    whole, reduced = write(storage, components=24), write(storage, components=4)  # white noise
    assert (whole.components, whole.factor, reduced.components) == (None, 1, 4)
    assert min(whole.recall, reduced.recall) >= 0.99
    assert reduced.factor > 4


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [7, 8192])
def test_of_some_items_the_nearest_are_those_of_plain_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(index, "COMPARED_AT_ONCE", at_once)
    storage = Storage(str(tmp_path))
    write(storage)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    query, some = vectors(1, seed=9), np.arange(3, 500, 11)
    distances = np.linalg.norm(unit_rows(vectors())[some] - unit_rows(query), axis=1)
    nearest = opened.search_among(query, some, 6)
    assert nearest.items[0].tolist() == some[np.argsort(distances)[:6]].tolist()
    np.testing.assert_allclose(nearest.distances[0], np.sort(distances)[:6], atol=1e-6)
    assert opened.search_among(query, [], 6).items.shape == (1, 0)
    assert opened.search_among(query, some[:2], 6).items.shape == (1, 2)


@pytest.mark.slow
def test_pairs_are_as_far_apart_as_a_search_has_them(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    nearest = opened.near([5, 9], 4)
    pairs = np.repeat([5, 9], 4).tolist(), nearest.items.ravel().tolist()
    assert opened.distances(*pairs) == pytest.approx(nearest.distances.ravel(), abs=1e-6)


@pytest.mark.slow
def test_axes_that_are_not_the_manifests_are_refused(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage, components=4)
    data = storage.read_bytes("indexes/test/axes.npy")
    storage.write_bytes("indexes/test/axes.npy", data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(MismatchError, match=r"axes\.npy: not the file of its manifest"):
        index.open_index(storage, "indexes/test", SPACE.fingerprint)


def test_any_of_many_equally_near_items_is_right() -> None:
    copies = np.repeat(
        np.eye(4, 8, dtype=np.float32), 60, axis=0
    )  # four pictures, sixty times each
    queries = copies[:5]
    true = exact_search(copies, queries, 11)
    others = np.arange(40, 51)[None].repeat(
        5, axis=0
    )  # as near as those in `true`, but none of them
    assert not set(others[0]) & set(true.items[0])
    retrieved = Neighbours(others, np.zeros((5, 11), np.float32))
    assert recall(retrieved, true) == 0.0
    assert recall_with_ties(retrieved, true, copies, queries) == 1.0
    wrong = Neighbours(others + 60, np.full((5, 11), 2**0.5, np.float32))
    assert recall_with_ties(wrong, true, copies, queries) == 0.0


def test_an_item_too_many_does_not_make_up_for_one_missed() -> None:
    copies = np.repeat(np.eye(4, 8, dtype=np.float32), 60, axis=0)
    true = exact_search(copies, copies[:2], 11)
    none = np.full((1, 60), -1, np.int64)
    retrieved = Neighbours(
        np.concatenate([np.arange(60)[None], none]), np.zeros((2, 60), np.float32)
    )
    assert recall_with_ties(retrieved, true, copies, copies[:2]) == 0.5


@pytest.mark.slow
def test_what_lies_around_several_items_is_found_by_their_whole_vectors(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    manifest = write(storage, components=8)
    opened = index.open_index(storage, "indexes/test", manifest.fingerprint)
    units = unit_rows(vectors()).astype(np.float64)
    chosen = [3, 77, 240]
    means = (units @ units[chosen].T).mean(axis=1)
    nearest, length = opened.around(chosen, 12)
    assert nearest.items[0].tolist() == np.argsort(-means)[:12].tolist()
    assert (1 - nearest.distances[0].astype(float) ** 2 / 2) * length == pytest.approx(
        np.sort(means)[::-1][:12], abs=1e-6
    )


@pytest.mark.slow
def test_opposites_have_no_direction(tmp_path: Path) -> None:
    storage, rows = Storage(str(tmp_path)), vectors()
    rows[1] = -rows[0]
    manifest = write(storage, rows=rows)
    opened = index.open_index(storage, "indexes/test", manifest.fingerprint)
    nearest, length = opened.around([0, 1], 5)
    assert (nearest.items.size, length) == (0, 0.0)
