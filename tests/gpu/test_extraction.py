"""Extraction through Ray on a CUDA GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import ray

from simsearch import schemas
from simsearch.catalog.catalog import ingest
from simsearch.catalog.readers.generated import image_bytes
from simsearch.encoders.encoder import Running
from simsearch.encoders.registry import get_encoder
from simsearch.extraction.in_actors import CALLS_PER_GPU_ACTOR
from simsearch.features.store import read_vectors
from simsearch.images.decode import decode
from simsearch.runs import steps
from simsearch.runs.context import open_run
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import root_of

ARTWORKS = 40  # × 6 variants: several blocks for every thread of the actor
BATCH = 16
NETWORKS = ["squeezenet1_1", "densenet121"]


@pytest.fixture(scope="module")
def ray_with_gpu() -> Iterator[None]:
    ray.init(
        address="local",
        num_gpus=1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=2 * 2**30,
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def extracted(
    tmp_path_factory: pytest.TempPathFactory, ray_with_gpu: None
) -> tuple[Config, Snapshot]:
    config = load_config(
        None,
        [
            f"root={tmp_path_factory.mktemp('gpu') / 'root'}",
            f"catalog.size={ARTWORKS}",
            f"extract.backbones=[{','.join(NETWORKS)}]",
            "extract.weights=['random:0']",
            f"extract.batch_size={BATCH}",
        ],
    )
    with open_run(config, new=True) as run:
        ingest(config)
        steps.extract(run)
    return config, pending_snapshot(root_of(config))


def test_every_vector_was_made_on_the_gpu(extracted: tuple[Config, Snapshot]) -> None:
    _, snapshot = extracted
    timings = read_parts(snapshot.storage, "timings", schemas.TIMINGS).to_pylist()
    assert {row["device"] for row in timings} == {"cuda"}
    assert [row["images"] for row in timings] == [6 * ARTWORKS] * len(NETWORKS)
    assert {space.precision for space in snapshot.plan().spaces} == {"float16"}
    assert CALLS_PER_GPU_ACTOR > 1, "several threads call the networks at once"


def test_every_original_has_the_vector_of_a_plain_loop(extracted: tuple[Config, Snapshot]) -> None:
    config, snapshot = extracted
    images = snapshot.images()
    originals = [row for row, name in enumerate(images["profile"].to_pylist()) if name is None]
    assert len(originals) == ARTWORKS
    for space in snapshot.plan().spaces:
        encoder = get_encoder(space.encoder, config.storage)
        running = Running(encoder.preprocessing, space.precision, device="cuda", batch_size=BATCH)
        network = encoder.load(encoder.weights(["random:0"], config.storage), running)
        vectors = read_vectors(snapshot.storage, space, images)
        for row in originals:
            number = int(images["artwork_id"][row].as_py().rpartition("-")[2])
            data = image_bytes(config.seed, number)
            picture = decode(data, max_pixels=10**8, max_bytes=10**8, background="#ffffff")
            np.testing.assert_array_equal(
                vectors[row], network(encoder.preprocessing.pixels(picture)[None])[0]
            )


def test_a_second_extraction_computes_nothing(extracted: tuple[Config, Snapshot]) -> None:
    config, snapshot = extracted
    before = read_parts(snapshot.storage, "timings", schemas.TIMINGS)
    with open_run(config) as run:
        steps.extract(run)
    assert read_parts(snapshot.storage, "timings", schemas.TIMINGS) == before
