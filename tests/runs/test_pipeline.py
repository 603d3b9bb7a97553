"""A whole run: what it computes again, what it rejects, what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simsearch import schemas
from simsearch.catalog.readers.generated import image_bytes
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.precision import worst_cosine
from simsearch.encoders.registry import get_encoder
from simsearch.errors import RejectsError, StorageError, UnknownNameError
from simsearch.extraction.conversions import Conversions
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.features import store as feature_store
from simsearch.features.collapse import SPREAD_METRICS
from simsearch.features.space import ONNX_RUNTIME
from simsearch.runs import job
from simsearch.runs import steps as pipeline
from simsearch.runs.context import take
from simsearch.settings.config import Config
from simsearch.settings.shown import settings_text
from simsearch.snapshots.published import latest_snapshot
from simsearch.snapshots.snapshot import pending_snapshot
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage
from tests.cli.test_main import in_process
from tests.support.machines import PLAIN, TILES, Machine
from tests.support.places import SHARED
from tests.support.small_runs import ARTWORKS, all_vectors, config_for

pytestmark = pytest.mark.usefixtures("ray_local")


def test_the_steps_run_one_by_one(tmp_path: Path) -> None:
    settings, root = tmp_path / "settings.yaml", str(tmp_path / "root")
    settings.write_text(settings_text(config_for(root)))
    for step in ("ingest", "extract", "index", "neighbours", "evaluate", "report"):
        done = in_process(step, str(settings))
        assert done.returncode == 0, done.stderr
    assert latest_snapshot(Storage(root)).images().num_rows == ARTWORKS * 6


def test_what_is_missing_is_computed_and_nothing_else(tmp_path: Path) -> None:
    root = str(tmp_path / "root")
    few = config_for(root, "perturbations.originals=3")
    take(few, job.ingest, new=True)
    assert take(few, pipeline.extract).items == ARTWORKS + 3 * 5
    more = config_for(
        root,
        "perturbations.originals=5",
        "extract.backbones=[efficientnet_lite0,efficientnet_lite1]",
    )
    assert (
        take(more, pipeline.extract).items == 2 * 5 + ARTWORKS + 5 * 5
    )  # new copies; all for the new space
    storage = Storage(root)
    contents = pending_snapshot(storage).images()["content_hash"].unique().to_pylist()
    thumbnails = {info.path: info.etag for info in storage.files("thumbnails")}
    assert set(thumbnails) == {
        f"{content}-{size}.webp" for content in contents for size in (96, 400)
    }
    (shard, *_) = storage.files("features")
    storage.delete(f"features/{shard.path}")
    lost = take(more, pipeline.extract).items
    assert lost > 0
    assert {info.path: info.etag for info in storage.files("thumbnails")} == thumbnails
    keys = [
        set(feature_store.keys_of(feature_store.read_keys(storage, space).table))
        for space in pending_snapshot(storage).plan().spaces
    ]
    assert [len(space_keys) for space_keys in keys] == [ARTWORKS + 25] * 2
    rows = sum(
        storage.read_table(f"features/{info.path}").num_rows for info in storage.files("features")
    )
    assert rows == 2 * (ARTWORKS + 25)  # no row twice


def test_a_converted_network_runs_by_onnx_runtime_and_each_space_keeps_its_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PLAIN.simulate(monkeypatch)
    root = str(tmp_path / "root")
    few = config_for(root, "perturbations.originals=3", "extract.backbones=[squeezenet1_1]")
    take(few, job.ingest, new=True)
    storage, encoder = Storage(root), get_encoder("squeezenet1_1", few.storage)
    assert isinstance(encoder, NetworkSpecification)
    stored = StoredWeights.store(storage, encoder.weights(["random:0"], few.storage))
    Conversions(encoder, stored, encoder.preprocessing).make()  # else too little to do for that
    assert take(few, pipeline.extract).items == ARTWORKS + 3 * 5
    converted = pending_snapshot(storage)
    assert converted.plan().spaces[0].engine == ONNX_RUNTIME
    (reason,) = converted.plan().precision_reasons.values()
    assert "ONNX Runtime, faster on this CPU, converted; trial vectors within cosine 1.0" in reason
    (timing,) = read_parts(storage, "timings", schemas.TIMINGS).to_pylist()
    assert timing["device"].endswith(", ONNX Runtime")

    eager = few.model_copy(update={"extract": few.extract.model_copy(update={"engine": "pytorch"})})
    assert take(eager, pipeline.extract).items == ARTWORKS + 3 * 5  # a space of its own
    vectors = [
        all_vectors(snapshot)["squeezenet1_1"]
        for snapshot in (converted, pending_snapshot(storage))
    ]
    assert worst_cosine(*(matrix.astype(float) for matrix in vectors)) >= 0.99999

    more = config_for(root, "perturbations.originals=5", "extract.backbones=[squeezenet1_1]")
    assert take(more, pipeline.extract).items == 2 * 5
    assert pending_snapshot(storage).plan().spaces[0] == converted.plan().spaces[0]
    TILES.simulate(monkeypatch)  # where PyTorch is as fast
    assert take(more, pipeline.extract).items == 0
    assert pending_snapshot(storage).plan().spaces[0] == converted.plan().spaces[0]


@pytest.mark.parametrize(("first", "then"), [(PLAIN, TILES), (TILES, PLAIN)], ids=str)
def test_a_run_on_another_cpu_computes_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Machine, then: Machine
) -> None:
    def config(size: int, *overrides: str) -> Config:
        words = ["perturbations.profiles=[]", "extract.backbones=[squeezenet1_1]"]
        words += [f"catalog.size={size}", "extract.precision=auto"]
        return config_for(str(tmp_path / "root"), *words, *overrides)

    storage = Storage(str(tmp_path / "root"))
    first.simulate(monkeypatch)
    take(config(3), job.ingest, new=True)
    assert take(config(3), pipeline.extract).items == 3
    (begun,) = pending_snapshot(storage).plan().spaces
    assert begun.precision == ("bfloat16" if first.tiles else "float32")
    then.simulate(monkeypatch)
    take(config(4), job.ingest, new=True)
    assert take(config(4), pipeline.extract).items == 1
    assert pending_snapshot(storage).plan().spaces == (begun,)
    other = "float32" if first.tiles else "bfloat16"
    assert take(config(4, f"extract.precision={other}"), pipeline.extract).items == 4


def test_a_renamed_image_is_not_computed_again(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        (pictures / f"{number}.jpg").write_bytes(image_bytes(1, number))
    config = config_for(
        str(tmp_path / "root"),
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        "perturbations.profiles=[]",
    )
    take(config, job.ingest, new=True)
    assert take(config, pipeline.extract).items == 4
    (pictures / "0.jpg").rename(pictures / "renamed.jpg")
    take(config, job.ingest, new=True)
    take(config, pipeline.extract)
    snapshot = pending_snapshot(Storage(config.root))
    assert snapshot.images()["artwork_id"].to_pylist() == ["1", "2", "3", "renamed"]
    rows = sum(
        snapshot.storage.read_table(f"features/{info.path}").num_rows
        for info in snapshot.storage.files("features")
    )
    assert rows == 4


def broken_collection(tmp_path: Path) -> Path:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(6):
        (pictures / f"{number}.jpg").write_bytes(image_bytes(1, number))
    (pictures / "cut.jpg").write_bytes(image_bytes(1, 6)[:600])
    (pictures / "page.jpg").write_bytes(b"<html>not found</html>")
    return pictures


def test_an_unreadable_image_costs_one_row_and_counts_add_up(tmp_path: Path) -> None:
    config = config_for(
        str(tmp_path / "root"),
        "catalog.reader=folder",
        f"catalog.source={broken_collection(tmp_path)}",
        "extract.max_reject_share=0.5",
    )
    snapshot = job.run(config).snapshot
    rejects = {
        row["artwork_id"]: (row["stage"], row["reason"]) for row in snapshot.rejects().to_pylist()
    }
    assert rejects == {"cut": ("decode", "broken"), "page": ("decode", "not an image")}
    plan = snapshot.plan()
    assert plan.artworks == 8
    assert snapshot.images()["profile"].null_count + plan.rejects == plan.artworks
    assert "not an image" in snapshot.storage.read_bytes(snapshot.report_path).decode()


def test_too_many_rejects_fail_the_run_after_all_else_is_stored(tmp_path: Path) -> None:
    pictures = broken_collection(tmp_path)
    config = config_for(
        str(tmp_path / "root"),
        "catalog.reader=folder",
        f"catalog.source={pictures}",
    )
    with pytest.raises(
        RejectsError,
        match=r"2 of 8 artworks rejected: 1 broken \(such as file://.*cut\.jpg: .*\); 1 not an image \(such as .*page\.jpg",
    ):
        job.run(config)
    assert pending_snapshot(Storage(config.root)).images().num_rows == 6 * 6
    for name in ("cut.jpg", "page.jpg"):
        shutil.copy(pictures / "0.jpg", pictures / name)
    snapshot = job.run(config).snapshot
    assert snapshot.plan().rejects == 0
    assert snapshot.images().num_rows == 8 * 6


def test_without_copies_there_are_neighbours_and_no_recovery(tmp_path: Path) -> None:
    config = config_for(str(tmp_path / "root"), "perturbations.profiles=[]")
    result = job.run(config)
    snapshot = result.snapshot
    steps = {step.name: step for step in result.record.steps}
    assert steps["neighbours"].items == ARTWORKS * 2
    assert steps["evaluate"].items == 0
    assert steps["evaluate"].note == "nothing to measure: no artwork has copies"
    metrics = snapshot.storage.read_table(snapshot.metrics_path)
    assert set(metrics["metric"].to_pylist()) == set(SPREAD_METRICS)
    assert not [name for name in snapshot.manifest()["files"] if "lists-annoy" in name]
    table = snapshot.storage.read_table(snapshot.neighbours_path("efficientnet_lite0", "annoy"))
    assert table.num_rows == ARTWORKS * 10
    assert (
        "No perturbed copies were asked for"
        in snapshot.storage.read_bytes(snapshot.report_path).decode()
    )


def test_unknown_names_and_strange_roots_are_refused_before_any_work(tmp_path: Path) -> None:
    for override, message in (
        ("extract.backbones=[vgg17]", "no encoder named 'vgg17'"),
        ("perturbations.profiles=[blurry]", "no perturbation profile named 'blurry'"),
    ):
        with pytest.raises(UnknownNameError, match=message):
            job.run(config_for(str(tmp_path / "root"), override))
    assert not (tmp_path / "root").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="choose an empty folder"):
        job.run(config_for(str(tmp_path / "thesis")))


def test_the_whole_job_on_real_pictures_with_a_trained_network(tmp_path: Path) -> None:
    """Paintings where they lie beside the checkout, else generated pictures."""
    source = ["catalog.size=16"]
    if (folder := SHARED / "paintings").exists():
        source = [
            "catalog.reader=table",
            f"catalog.source={folder}/artworks.csv",
            "catalog.columns={image_uri: file, artists: artist}",
            "catalog.sample=16",
        ]
    snapshot = job.run(
        config_for(
            str(tmp_path / "root"),
            *source,
            "extract.weights=[imagenet]",
        )
    ).snapshot
    assert snapshot.plan().rejects == 0
    assert "Untrained" not in snapshot.storage.read_bytes(snapshot.report_path).decode()
    (row,) = (
        row
        for row in snapshot.storage.read_table(snapshot.metrics_path).to_pylist()
        if (row["search"], row["scope"], row["k"], row["metric"]) == ("exact", "all", 5, "recall")
    )
    assert row["n"] == 16
    assert row["mean"] > 0.75  # chance is 5 / 95
