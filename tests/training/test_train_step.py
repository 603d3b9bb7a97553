"""Heads in a run: fitted, applied, measured, queried, kept; on a small collection."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
import scipy.stats

from simsearch.catalog.stored import load_catalog
from simsearch.encoders.trained import (
    count_seen,
    list_trainings,
    load_head,
    measured_of,
    trainings_of,
)
from simsearch.errors import TrainingError
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.reading.collection import collection_of
from simsearch.runs import job, steps
from simsearch.runs.context import take
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.garbage import find_garbage
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import root_of

pytestmark = pytest.mark.usefixtures("ray_local")

ENCODER = "efficientnet_lite0"
SPACES = (
    f"[{{backbone: {ENCODER}}}, {{backbone: {ENCODER}, head: whitening-8}}, "
    f"{{backbone: {ENCODER}, head: contrastive, name: learned}}, "
    f"{{backbone: {ENCODER}, head: denoising}}, "
    f"{{name: both, of: {{learned: 1.0, {ENCODER}+denoising: 0.5}}}}]"
)


def config_for(root: str, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={root}",
            "catalog.size=48",
            f"extract.spaces={SPACES}",
            "heads={whitening-8: {kind: whitening, dimensions: 8, power: 1}, contrastive: {epochs: 2}}",
            "train.profiles=[grey-4,jpeg-4]",
            "train.originals=16",
            "perturbations.originals=12",
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "extract.batch_size=4",
            "evaluate.bootstrap=50",
            "report.examples=1",
            "projection.methods=[pca]",  # UMAP compiles for half a minute
            *overrides,
        ],
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, ray_local: None) -> tuple[Config, Snapshot]:
    """A finished run on local disk, for tests that only read."""
    config = config_for(str(tmp_path_factory.mktemp("learned") / "root"))
    return config, job.run(config).snapshot


def _vectors(snapshot: Snapshot) -> dict[str, Any]:
    images = snapshot.images()
    return {
        space.name: feature_store.read_vectors(snapshot.storage, space, images)
        for space in snapshot.plan().spaces
    }


def test_every_space_of_a_run_is_measured(finished: tuple[Config, Snapshot]) -> None:
    _, snapshot = finished
    names = [space.name for space in snapshot.plan().spaces]
    assert names == [ENCODER, f"{ENCODER}+whitening-8", "learned", f"{ENCODER}+denoising", "both"]
    assert {space for space, _ in snapshot.recall()} == set(names)
    assert [*verify(snapshot)] == []


def test_a_spaces_vectors_are_its_head_of_the_encoders(finished: tuple[Config, Snapshot]) -> None:
    _, snapshot = finished
    vectors = _vectors(snapshot)
    for space in snapshot.plan().spaces[1:4]:
        head = load_head(snapshot.storage, space)
        assert head is not None
        np.testing.assert_allclose(
            vectors[space.name], head(vectors[ENCODER]), rtol=1e-4, atol=1e-4
        )
    assert vectors[f"{ENCODER}+whitening-8"].shape[1] == 8


def test_the_cosine_in_a_joined_space_is_the_weighted_mean_of_its_parts(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    unit = {name: unit_rows(vectors) for name, vectors in _vectors(snapshot).items()}
    cosines = {name: vectors @ vectors.T for name, vectors in unit.items()}
    mean = (cosines["learned"] + 0.5 * cosines[f"{ENCODER}+denoising"]) / 1.5
    np.testing.assert_allclose(cosines["both"], mean, atol=1e-5)


def test_nothing_measured_was_learned_from(finished: tuple[Config, Snapshot]) -> None:
    config, snapshot = finished
    images = snapshot.images()
    trainings = trainings_of(snapshot.storage, snapshot.plan().spaces)
    assert {name: len(listed) for name, listed in trainings.items()} == {
        f"{ENCODER}+whitening-8": 1,
        "learned": 1,
        f"{ENCODER}+denoising": 1,
        "both": 2,  # those of its parts
    }
    for training in itertools.chain(*trainings.values()):
        assert count_seen(snapshot.storage, training, measured_of(images)) == 0
        assert training.held_out["measured"] == 12
        assert training.artworks <= 36
    (learned,) = trainings["learned"]
    assert config.train.originals is not None
    assert learned.images == learned.artworks + 2 * config.train.originals
    assert [row["epoch"] for row in learned.losses] == [1, 2]


def test_labels_overlap_and_hubs_are_of_artworks_that_nothing_learned_from(
    finished: tuple[Config, Snapshot],
) -> None:
    _, snapshot = finished
    images, vectors = snapshot.images(), _vectors(snapshot)
    places = np.flatnonzero(images["profile"].is_null().to_numpy())
    ids = images["artwork_id"].to_numpy()[places]
    measured = set(measured_of(images)["artwork_id"].to_pylist())
    catalog = load_catalog(snapshot.storage, snapshot.plan().catalog_id).table
    artists = {row["artwork_id"]: set(row["artists"]) for row in catalog.to_pylist()}
    near = snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist()
    left_out = {(row["artwork_id"], row["other_id"]) for row in near}
    rows = {
        (row["space"], row["scope"], row["metric"], row["k"]): row
        for row in snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
        if row["search"] == "exact"
    }
    for name, matrix in vectors.items():
        units = unit_rows(matrix[places]).astype(np.float64)
        shares, occurrences = [], dict.fromkeys(ids, 0)
        for place in np.flatnonzero(np.isin(ids, list(measured))):
            own = ids[place]
            distances = np.linalg.norm(units - units[place], axis=1)
            others = [
                other
                for other in ids[np.argsort(distances)]
                if other != own and not {(own, other), (other, own)} & left_out
            ]
            shares.append(np.mean([bool(artists[other] & artists[own]) for other in others[:5]]))
            for other in others[:10]:
                occurrences[other] += 1
        row = rows[name, "artist", "label_precision", 5]
        assert (row["mean"], row["n"]) == (pytest.approx(np.mean(shares)), 12)
        hubness = rows[name, "originals", "hubness", 10]["mean"]
        assert hubness == pytest.approx(scipy.stats.skew(list(occurrences.values())))
    assert {row["n"] for row in rows.values() if row["metric"] == "neighbour_overlap"} == {12}
    page = snapshot.storage.read_bytes(snapshot.report_path).decode()
    assert "the same 12 of 48 artworks" in page


def test_a_second_run_learns_nothing_and_publishes_the_same(
    finished: tuple[Config, Snapshot],
) -> None:
    config, _ = finished
    before = list_trainings(root_of(config))
    assert take(config, steps.train).items == 0
    assert job.run(config).record.outcome == "unchanged"
    assert list_trainings(root_of(config)) == before
    assert len(before) == 3


def test_another_root_with_the_same_vectors_learns_the_same(
    finished: tuple[Config, Snapshot], tmp_path: Path
) -> None:
    """A copy that has learned nothing. The tests of whole runs show that another root has the same vectors."""
    config, _snapshot = finished
    other = config_for(str(tmp_path / "root"))
    shutil.copytree(config.root, other.root, ignore=shutil.ignore_patterns("trained"))
    assert not list_trainings(root_of(other))
    assert take(other, steps.train).items == 3
    digests = {training.weights_sha256 for training in list_trainings(root_of(other))}
    assert digests == {training.weights_sha256 for training in list_trainings(root_of(config))}


def test_a_picture_is_found_in_every_space(
    finished: tuple[Config, Snapshot], tmp_path: Path
) -> None:
    config, snapshot = finished
    images = snapshot.images().filter(pc.field("profile").is_null())
    wanted = images["artwork_id"][0].as_py()
    from simsearch.storage.storage import read_uri

    table = load_catalog(snapshot.storage).table
    row = next(row for row in table.to_pylist() if row["artwork_id"] == wanted)
    picture = tmp_path / "picture.png"
    picture.write_bytes(read_uri(row["image_uri"], config.storage))
    matches_by_space = collection_of(config, snapshot).search(picture, 1)
    assert {
        space: matches[0].artwork.artwork_id for space, matches in matches_by_space.items()
    } == dict.fromkeys((space.name for space in snapshot.plan().spaces), wanted)


def test_garbage_collection_keeps_what_a_snapshot_was_made_with(
    finished: tuple[Config, Snapshot],
) -> None:
    config, snapshot = finished
    garbage = {file.path for file in find_garbage(snapshot.storage, keep=1, older_than=2e10)}
    assert not any(path.startswith("trained/") for path in garbage)
    other = [{"backbone": ENCODER}, {"backbone": ENCODER, "head": "whitening-8"}]
    words = ["heads.whitening-8.dimensions=7", f"extract.spaces={json.dumps(other)}"]
    take(config_for(config.root, *words), steps.train)  # learned for no snapshot
    garbage = {file.path for file in find_garbage(snapshot.storage, keep=1, older_than=2e10)}
    kept = {
        training.folder
        for training in itertools.chain(
            *trainings_of(snapshot.storage, snapshot.plan().spaces).values()
        )
    }
    left = {path.rpartition("/")[0] for path in garbage if path.startswith("trained/")}
    assert left
    assert not left & kept


def test_a_head_that_is_not_fitted_is_one_line(finished: tuple[Config, Snapshot]) -> None:
    config, _ = finished
    other = config_for(
        config.root,
        "heads.whitening-9={kind: whitening}",
        f"extract.spaces=[{{backbone: {ENCODER}, head: whitening-9}}]",
    )
    with pytest.raises(
        TrainingError, match=r"'whitening-9' .* is not fitted yet; run `simsearch train`"
    ):
        take(other, steps.extract)


def test_a_head_of_another_encoder_is_one_line(finished: tuple[Config, Snapshot]) -> None:
    config, _ = finished
    other = config_for(config.root, "extract.weights=['random:1']")
    with pytest.raises(TrainingError, match=rf"was fitted for {ENCODER}-untrained-\w+, not for"):
        take(other, steps.extract)


def test_a_head_whose_file_was_changed_is_not_used(
    tmp_path: Path, finished: tuple[Config, Snapshot]
) -> None:
    config, snapshot = finished
    shutil.copytree(config.root, tmp_path / "root")
    copy = Snapshot(root_of(config_for(str(tmp_path / "root"))), snapshot.snapshot_id)
    space = copy.plan().space("learned")
    training = trainings_of(copy.storage, [space])["learned"][0]
    copy.storage.write_bytes(f"{training.folder}/weights.safetensors", b"other")
    assert any("not the weights that its manifest names" in line for line in verify(copy))
