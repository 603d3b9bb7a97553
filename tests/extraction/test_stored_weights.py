"""Weights on their way: stored once, fetched once per node, proved by digest each time."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import torch

from simsearch.encoders.encoder import Weights
from simsearch.errors import MismatchError
from simsearch.extraction.stored_weights import CACHE_VARIABLE, StoredWeights, weights_folder
from simsearch.storage.storage import Storage
from tests.support.places import Place

TENSORS = {"layer.weight": torch.arange(12.0).reshape(3, 4), "layer.bias": torch.ones(3)}
WEIGHTS = Weights("random:0", "d" * 64, False, TENSORS, 60)


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process's node folder."""
    folder = tmp_path / "node"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


def same(loaded: Weights) -> bool:
    return loaded.content.keys() == TENSORS.keys() and all(
        torch.equal(loaded.content[key], tensor) for key, tensor in TENSORS.items()
    )


def test_what_was_stored_is_loaded_with_its_description(place: Place) -> None:
    storage = Storage(place.root, place.config)
    stored = StoredWeights.store(storage, WEIGHTS)
    loaded = stored.load()
    assert same(loaded)
    assert (loaded.source, loaded.digest, loaded.trained) == ("random:0", "d" * 64, False)
    graph = StoredWeights.store(storage, Weights("a.onnx", "e" * 64, True, b"a graph", 7))
    assert graph.load().content == b"a graph"
    assert len(storage.files("weights")) == 2
    StoredWeights.store(storage, WEIGHTS)
    assert len(storage.files("weights")) == 2


def test_a_node_fetches_once_and_needs_the_store_no_more(s3_place: Place) -> None:
    storage = Storage(s3_place.root, s3_place.config)
    stored = StoredWeights.store(storage, WEIGHTS)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert all(pool.map(_loads_the_same, [stored] * 3))
    storage.delete(stored.path)
    assert same(stored.load())


def _loads_the_same(stored: StoredWeights) -> bool:
    return same(stored.load())


def test_a_file_that_was_changed_on_a_node_is_fetched_again(s3_place: Place) -> None:
    stored = StoredWeights.store(Storage(s3_place.root, s3_place.config), WEIGHTS)
    stored.load()
    (file,) = weights_folder().glob("*.safetensors")
    file.write_bytes(b"somebody else's")
    assert same(stored.load())


def test_a_file_that_was_changed_in_the_root_is_refused(place: Place) -> None:
    storage = Storage(place.root, place.config)
    stored = StoredWeights.store(storage, WEIGHTS)
    storage.write_bytes(stored.path, b"somebody else's")
    with pytest.raises(MismatchError, match="its SHA-256 is not the one in its name"):
        stored.load()
