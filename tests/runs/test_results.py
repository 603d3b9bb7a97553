"""A whole run: vectors, neighbours, metrics and index are those of plain code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import average_precision_score

from simsearch.catalog.readers.generated import image_bytes
from simsearch.catalog.stored import load_catalog
from simsearch.encoders.encoder import Running
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.errors import MismatchError, UsageError
from simsearch.features.vectors import unit_rows
from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.images.perturbations import get_profile, perturb
from simsearch.images.suites import STUDY_PROFILES
from simsearch.indexes.exact import exact_search
from simsearch.indexes.index import open_index
from simsearch.reading.collection import collection_of
from simsearch.runs import job
from simsearch.runs import steps as pipeline
from simsearch.runs.context import take
from simsearch.schemas import TIMINGS
from simsearch.settings.config import Config
from simsearch.snapshots.published import latest_snapshot
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.parts import read_parts
from tests.support.places import Place
from tests.support.small_runs import ARTWORKS, all_vectors, config_for

pytestmark = pytest.mark.usefixtures("ray_local")

TWO_SPACES = "extract.backbones=[squeezenet1_1,shufflenet_v2_x0_5]"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, ray_local: None) -> tuple[Config, Snapshot]:
    """A finished run on local disk, for tests that only read."""
    config = config_for(str(tmp_path_factory.mktemp("finished") / "root"), TWO_SPACES)
    return config, job.run(config).snapshot


@pytest.fixture
def actors_threads(finished: tuple[Config, Snapshot]) -> Iterator[None]:
    """Computes with as many threads as the run's actors: with another number the last bit differs."""
    _, snapshot = finished
    (device,) = set(read_parts(snapshot.storage, "timings", TIMINGS)["device"].to_pylist())
    before = torch.get_num_threads()
    torch.set_num_threads(int(device.split()[1]))  # of "cpu, 2 threads"
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("actors_threads")
def test_every_image_has_the_vector_of_a_plain_loop(finished: tuple[Config, Snapshot]) -> None:
    config, snapshot = finished
    images = snapshot.images().to_pylist()
    assert len(images) == ARTWORKS * (1 + len(STUDY_PROFILES))
    vectors = all_vectors(snapshot)["squeezenet1_1"]
    specification = get_encoder("squeezenet1_1", config.storage)
    network = specification.load(
        specification.weights(["random:0"], config.storage),
        Running(specification.preprocessing, batch_size=4),
    )
    for row in (0, 1, 40, len(images) - 1):
        number = int(images[row]["artwork_id"].rpartition("-")[2])
        data = image_bytes(71, number)
        picture = decode(data, max_pixels=10**6, max_bytes=10**6, background="#ffffff")
        if (profile := images[row]["profile"]) is not None:
            picture = perturb(
                picture,
                get_profile(profile),
                reencode_jpeg=True,
                seed=71,
                content_hash=content_hash(data),
            )
        pixels = specification.preprocessing.pixels(picture)[None]
        np.testing.assert_array_equal(vectors[row], network(pixels)[0])
        assert images[row]["content_hash"] == hashlib.sha256(data).hexdigest()


def test_neighbours_are_those_of_a_brute_force_search(finished: tuple[Config, Snapshot]) -> None:
    _, snapshot = finished
    images = snapshot.images().to_pylist()
    units = unit_rows(all_vectors(snapshot)["squeezenet1_1"]).astype(np.float64)
    table = snapshot.storage.read_table(snapshot.neighbours_path("squeezenet1_1", "exact"))
    rows = table.to_pylist()
    originals = [row for row, image in enumerate(images) if image["profile"] is None]
    assert table.num_rows == len(originals) * 10
    for query_row in originals:
        distances = np.linalg.norm(units - units[query_row], axis=1)
        distances[query_row] = np.inf
        expected = [images[row]["image_id"] for row in np.argsort(distances, kind="stable")[:10]]
        mine = [row for row in rows if row["query_id"] == images[query_row]["image_id"]]
        assert [row["neighbour_id"] for row in mine] == expected
        assert [row["rank"] for row in mine] == list(range(1, 11))
        assert images[query_row]["image_id"] not in expected


def test_what_is_listed_for_the_index_is_what_it_answers(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    space = snapshot.plan().space("squeezenet1_1")
    index = open_index(snapshot.storage, snapshot.index_folder(space.name), space.fingerprint)
    images = snapshot.images().to_pylist()
    names = [image["image_id"] for image in images]
    originals = [row for row, image in enumerate(images) if image["profile"] is None]
    rows = snapshot.storage.read_table(snapshot.neighbours_path(space.name, "annoy")).to_pylist()
    assert index.manifest.exact  # exact search answers for so few images
    answers = index.near(originals, 40)
    for own, items in zip(originals, answers.items, strict=True):
        expected = [names[item] for item in items if item != own][:10]
        listed = [row["neighbour_id"] for row in rows if row["query_id"] == names[own]]
        assert listed == expected


def test_the_index_is_scored_as_users_are_answered_and_the_rest_by_exact_search(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    rows = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    by_index = {row["metric"] for row in rows if row["search"] == "annoy"}
    assert by_index == {"precision", "recall", "f1", "recovered"}
    by_exact_search = {row["metric"] for row in rows if row["search"] == "exact"}
    assert {"map", "micro_ap", "recall_curve", "hubness", *by_index} <= by_exact_search
    space = snapshot.plan().space("squeezenet1_1")
    index = open_index(snapshot.storage, snapshot.index_folder(space.name), space.fingerprint)
    assert list(index.manifest.recalls) == ["10", str((10 + 1) * (1 + len(STUDY_PROFILES)) - 1)]
    page = snapshot.storage.read_bytes(snapshot.report_path).decode()
    assert '<td class="number">exact</td>' in page


def test_metrics_follow_from_the_neighbours(finished: tuple[Config, Snapshot]) -> None:
    _, snapshot = finished
    metrics = snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
    for search in ("exact", "annoy"):
        rows = snapshot.storage.read_table(
            snapshot.neighbours_path("squeezenet1_1", search)
        ).to_pylist()
        for k in (1, 3, 5):
            hits = [
                row
                for row in rows
                if row["rank"] <= k and row["neighbour_id"].startswith(row["query_id"] + "--")
            ]
            (row,) = (
                row
                for row in metrics
                if (row["space"], row["search"], row["scope"], row["k"], row["metric"])
                == ("squeezenet1_1", search, "all", k, "recall")
            )
            assert row["mean"] == pytest.approx(len(hits) / ARTWORKS / 5)
            assert row["n"] == ARTWORKS


def test_deep_scores_are_scikit_learns_on_the_same_vectors(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    images = snapshot.images().to_pylist()
    metrics = {
        (row["scope"], row["metric"]): row
        for row in snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
        if (row["space"], row["search"]) == ("squeezenet1_1", "exact")
    }
    near = snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist()
    near_to: dict[str, set[str]] = {}
    for pair in near:
        near_to.setdefault(pair["artwork_id"], set()).add(pair["other_id"])
        near_to.setdefault(pair["other_id"], set()).add(pair["artwork_id"])
    units = unit_rows(all_vectors(snapshot)["squeezenet1_1"]).astype(np.float64)
    for group in ("all", "sharpen"):
        precisions = []
        for row, image in enumerate(images):
            if image["profile"] is not None:
                continue
            own = np.array([row["artwork_id"] == image["artwork_id"] for row in images])
            wanted = own & np.array([group in ("all", row["profile"]) for row in images])
            wanted[row] = False
            left_out = near_to.get(image["artwork_id"], set())
            kept = wanted | ~own & np.array([row["artwork_id"] not in left_out for row in images])
            distances = np.linalg.norm(units - units[row], axis=1)
            precisions.append(average_precision_score(wanted[kept], -distances[kept]))
        assert metrics[group, "map"]["mean"] == pytest.approx(np.mean(precisions))
        assert metrics[group, "map"]["n"] == ARTWORKS
        assert metrics[group, "micro_ap"]["ceiling"] == 1


def test_a_published_snapshot_is_whole_and_readable_without_us(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    assert latest_snapshot(snapshot.storage).snapshot_id == snapshot.snapshot_id
    manifest = snapshot.storage.read_json(snapshot.manifest_path)
    names = set(manifest["files"])
    tables = ("images", "rejects", "metrics", "scores", "comparisons", "near_duplicates")
    assert {f"{table}/{table}.parquet" for table in tables} | {"report/report.html"} <= names
    for space in ("squeezenet1_1", "shufflenet_v2_x0_5"):
        assert f"indexes/{space}/index.ann" in names
    folder = Path(snapshot.storage.root.removeprefix("file://")) / "features"
    for path in folder.rglob("*.parquet"):
        assert "untrained" in path.parent.name
        assert pq.read_schema(path).field("vector").type.value_type == "float"
    page = snapshot.storage.read_bytes(snapshot.report_path).decode()
    by_folder: dict[Path, set[str]] = {}
    for path in folder.parent.rglob("*.parquet"):
        columns = pq.read_schema(path).remove_metadata()
        by_folder.setdefault(path.parent, set()).add(str(columns))
    assert {path.name: len(kinds) for path, kinds in by_folder.items() if len(kinds) > 1} == {}
    assert "Untrained weights: shufflenet_v2_x0_5, squeezenet1_1" in page


def test_the_s3_server_and_the_local_disk_give_the_same_answers(
    finished: tuple[Config, Snapshot], s3_place: Place
) -> None:
    _, local = finished
    config = config_for(
        s3_place.root, TWO_SPACES, f"storage.endpoint_url={s3_place.config.endpoint_url}"
    )
    remote = job.run(config).snapshot
    for space, vectors in all_vectors(local).items():
        np.testing.assert_array_equal(all_vectors(remote)[space], vectors)
    local_metrics, remote_metrics = (
        snapshot.storage.read_table(snapshot.metrics_path) for snapshot in (local, remote)
    )
    assert local_metrics.equals(remote_metrics)
    index_files = (
        snapshot.storage.read_bytes(f"{snapshot.index_folder('squeezenet1_1')}/index.ann")
        for snapshot in (local, remote)
    )
    assert next(index_files) == next(index_files)


def test_the_index_opens_and_agrees_with_exact_search(finished: tuple[Config, Snapshot]) -> None:
    _, snapshot = finished
    space = snapshot.plan().space("squeezenet1_1")
    opened = open_index(snapshot.storage, snapshot.index_folder("squeezenet1_1"), space.fingerprint)
    vectors = all_vectors(snapshot)["squeezenet1_1"]
    true = exact_search(unit_rows(vectors), unit_rows(vectors), 5)
    np.testing.assert_array_equal(opened.search(vectors, 5).items[:, 0], true.items[:, 0])
    assert opened.images.equals(snapshot.images())


def test_a_query_finds_the_artwork_it_is_a_picture_of(
    finished: tuple[Config, Snapshot], tmp_path: Path
) -> None:
    config, snapshot = finished
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(image_bytes(71, 3))
    matches_by_space = collection_of(config, snapshot).search(picture, 4)
    assert set(matches_by_space) == {"squeezenet1_1", "shufflenet_v2_x0_5"}
    for matches in matches_by_space.values():
        assert matches[0].artwork.artwork_id == "generated-000003"
        assert matches[0].cosine == pytest.approx(1, abs=1e-5)
        assert [match.rank for match in matches] == [1, 2, 3, 4]
        assert len({match.artwork.artwork_id for match in matches}) == 4
    table = load_catalog(snapshot.storage).table
    assert matches[0].artwork.title == table["title"][3].as_py()


def test_a_query_with_other_weights_or_no_picture_is_refused(
    finished: tuple[Config, Snapshot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, snapshot = finished
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    with pytest.raises(UsageError, match=r"page\.jpg: not a usable image \(not an image"):
        collection_of(config, snapshot).search(tmp_path / "page.jpg", 3)
    with pytest.raises(UsageError, match=r"none\.jpg: cannot read it"):
        collection_of(config, snapshot).search(tmp_path / "none.jpg", 3)

    def other(specification: NetworkSpecification, _sources: Any, storage: Any) -> Any:
        return specification.sources.resolve(["random:9"], storage)

    monkeypatch.setattr(NetworkSpecification, "weights", other)
    (tmp_path / "photo.jpg").write_bytes(image_bytes(71, 3))
    with pytest.raises(MismatchError, match="not those of snapshot"):
        collection_of(config, snapshot).search(tmp_path / "photo.jpg", 3)


def test_a_second_run_computes_nothing_and_publishes_the_same(
    finished: tuple[Config, Snapshot],
) -> None:
    config, snapshot = finished
    before = {info.path: info.etag for info in snapshot.storage.files("features")}
    assert take(config, pipeline.extract).items == 0
    assert job.run(config).snapshot.snapshot_id == snapshot.snapshot_id
    assert {info.path: info.etag for info in snapshot.storage.files("features")} == before
