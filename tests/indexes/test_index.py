"""Indexes: exact search against brute force, Annoy against exact search, manifests against files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.errors import MismatchError, NotFoundError
from simsearch.indexes import index
from simsearch.indexes.annoy import (
    annoy_search,
    build_annoy,
    choose_search_k,
    open_annoy,
    principal_axes,
)
from simsearch.indexes.exact import Neighbours, exact_search, recall, recall_with_ties, unit_rows
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
    return index.write_index(
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


@pytest.mark.parametrize("items", [500, 3001])  # few, and so many that maxima of groups come first
@pytest.mark.parametrize("n", [1, 11])
def test_exact_search_equals_brute_force_in_float64(items: int, n: int) -> None:
    units = unit_rows(vectors(items))
    found = exact_search(units, units[:40], n)
    for query in range(40):
        distances = np.linalg.norm(
            units.astype(np.float64) - units[query].astype(np.float64), axis=1
        )
        assert found.items[query].tolist() == np.argsort(distances, kind="stable")[:n].tolist()
        np.testing.assert_allclose(found.distances[query], np.sort(distances)[:n], atol=1e-6)


@pytest.mark.parametrize("place", [0, 1500, 2999, 3000])
def test_the_nearest_is_found_wherever_it_lies(place: int) -> None:
    units = unit_rows(vectors(3001))
    query = unit_rows(vectors(1, seed=4))
    units[place] = query[0]
    found = exact_search(units, query, 1)
    assert (found.items[0, 0], found.distances[0, 0]) == (place, 0)


def test_near_copies_are_told_apart_below_float32_rounding_of_the_cosine() -> None:
    base = vectors(1)[0]
    nudge = np.zeros_like(base)
    nudge[0] = 1e-4
    stack = np.stack([base + 2 * nudge, base + nudge, base])
    found = exact_search(unit_rows(stack), unit_rows(stack[2:]), 3)
    assert found.items[0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("zeros", [[0], [3, 7, 400]])
def test_a_zero_vector_is_as_far_as_annoy_has_it(tmp_path: Path, zeros: list[int]) -> None:
    rows = vectors()
    rows[zeros] = 0
    units = unit_rows(rows)
    build_annoy(rows, tmp_path / "zero.ann", trees=10, seed=1)
    annoy = open_annoy(tmp_path / "zero.ann", 24)
    found = exact_search(units, units[: max(zeros) + 1], len(units))
    for query in {0, *zeros}:
        for item, distance in zip(found.items[query], found.distances[query], strict=True):
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


def test_search_k_reaches_the_target_recall_on_other_queries(tmp_path: Path) -> None:
    data = vectors(3000, 64)
    units = unit_rows(data)
    build_annoy(data, tmp_path / "index", trees=10, seed=1)
    annoy = open_annoy(tmp_path / "index", 64)
    low = recall(annoy_search(annoy, units[:200], 11, 20), exact_search(units, units[:200], 11))
    search_k, tried = choose_search_k(annoy, units, n=11, trees=10, target=0.99, seed=2)
    fresh = units[:600]
    reached = recall(annoy_search(annoy, fresh, 11, search_k), exact_search(units, fresh, 11))
    assert low < 0.9
    assert reached >= 0.98
    assert tried[str(search_k)] >= 0.99
    assert all(recall < 0.99 for value, recall in tried.items() if int(value) < search_k)


def test_a_target_out_of_reach_does_not_make_every_query_search_everything(tmp_path: Path) -> None:
    """Vectors so close that Annoy's float32 distances cannot order them."""
    units = unit_rows(1 + np.float32(3e-4) * vectors(600, 64))
    build_annoy(units, tmp_path / "index", trees=10, seed=1)
    annoy = open_annoy(tmp_path / "index", 64)
    search_k, tried = choose_search_k(annoy, units, n=11, trees=10, target=0.99, seed=2)
    best = max(tried.values())
    assert best < 0.99
    assert search_k == min(int(value) for value, recall in tried.items() if recall == best)
    assert search_k < 600 * 10


def test_annoy_distances_are_the_exact_ones() -> None:
    storage_free = vectors(200)
    units = unit_rows(storage_free)
    true = exact_search(units, units[:20], 5)
    angular = np.sqrt(np.maximum(0, 2 - 2 * np.einsum("qd,qkd->qk", units[:20], units[true.items])))
    np.testing.assert_allclose(true.distances, angular, atol=1e-3)


def test_an_opened_index_finds_an_item_by_its_own_vector(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    manifest = write(storage)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    found = opened.search(vectors()[17:18], 3)
    assert opened.images["image_id"][int(found.items[0, 0])].as_py() == "a00017"
    assert manifest.items == 500
    assert manifest.recall >= 0.99
    assert not manifest.trained


@pytest.mark.parametrize("name", ["index.ann", "ids.parquet"])
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


def test_another_feature_space_is_refused(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    with pytest.raises(MismatchError, match="wanted"):
        index.open_index(storage, "indexes/test", replace(SPACE, precision="bfloat16").fingerprint)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    with pytest.raises(MismatchError, match="a vector of 23 numbers"):
        opened.search(np.zeros((1, 23), dtype=np.float32), 3)


def test_an_index_without_a_manifest_is_not_there(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write(storage)
    storage.delete("indexes/test/manifest.json")
    with pytest.raises(NotFoundError, match="no finished index"):
        index.open_index(storage, "indexes/test", SPACE.fingerprint)


def test_principal_axes_are_numpys_singular_vectors() -> None:
    units = unit_rows(vectors() * np.linspace(3, 0.1, 24, dtype=np.float32))
    axes = principal_axes(units, 5, seed=1)
    true = np.linalg.svd(units.astype(np.float64))[2][:5].T
    assert axes.shape == (24, 5)
    assert np.abs(np.abs((axes * true).sum(axis=0)) - 1).max() < 1e-3


def test_an_index_of_principal_components_finds_what_lies_in_their_span(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    flat = vectors(d=6) @ vectors(6, 24, seed=4)  # six dimensions of twenty-four
    manifest = write(storage, rows=flat, components=6)
    opened = index.open_index(storage, "indexes/test", SPACE.fingerprint)
    units = unit_rows(flat)
    queries = unit_rows(vectors(20, 6, seed=5) @ vectors(6, 24, seed=4))
    found, true = opened.search(7 * queries, 10), exact_search(units, queries, 10)
    assert (manifest.components, opened.annoy.f, manifest.dimension) == (6, 6, 24)
    assert recall(found, true) >= 0.98
    assert found.distances == pytest.approx(true.distances, abs=1e-3)


def test_recall_with_principal_components_is_that_of_the_whole_vectors(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    whole, reduced = write(storage), write(storage, components=4)  # of white noise: most is lost
    assert whole.recall >= 0.99
    assert reduced.recall < 0.5
    assert reduced.recall_by_search_k[str(reduced.search_k)] >= 0.99


def test_more_components_than_a_vector_has_leave_it_whole(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    assert write(storage, components=24) == write(storage)


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
    others = np.arange(40, 51)[None].repeat(5, axis=0)  # none of them in `true`, all as near
    assert not set(others[0]) & set(true.items[0])
    found = Neighbours(others, np.zeros((5, 11), np.float32))
    assert recall(found, true) == 0.0
    assert recall_with_ties(found, true, copies, queries) == 1.0
    wrong = Neighbours(others + 60, np.full((5, 11), 2**0.5, np.float32))
    assert recall_with_ties(wrong, true, copies, queries) == 0.0


def test_sixty_copies_of_a_picture_do_not_make_every_query_search_everything(
    tmp_path: Path,
) -> None:
    units = unit_rows(np.concatenate([vectors(400, 64), np.repeat(vectors(1, 64) + 1, 60, axis=0)]))
    build_annoy(units, tmp_path / "index", trees=50, seed=1)
    annoy = open_annoy(tmp_path / "index", 64)
    search_k, tried = choose_search_k(annoy, units, n=11, trees=50, target=0.99, seed=2)
    assert tried[str(search_k)] >= 0.99
