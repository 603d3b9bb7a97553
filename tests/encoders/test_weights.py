"""Weights: where they come from, that they are what they claim, and that a file of them is never run."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from simsearch.encoders.backbones import efficientnet_lite
from simsearch.encoders.encoder import preprocessing_for
from simsearch.encoders.registry import get_encoder
from simsearch.encoders.weights import Undrawn
from simsearch.errors import UsageError, WeightsError
from tests.support.networks import CONFIG, network, pixels, weights_of


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_lite_networks_bring_their_real_weights(name: str) -> None:
    weights = weights_of(name, "imagenet")
    assert weights.trained
    size = preprocessing_for(get_encoder(name, CONFIG), "weights").crop
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    assert network(name, weights)(images).shape == (2, 1280)


def test_a_packaged_file_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(efficientnet_lite.PACKAGED_SHA256, "efficientnet_lite0", "0" * 64)
    with pytest.raises(WeightsError, match="install the package again"):
        weights_of("efficientnet_lite0", "imagenet")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet1_0", "mobilenet_v2"])
def test_real_weights_load_the_same_from_either_format(
    real_weights: Path, tmp_path: Path, name: str
) -> None:
    folders = []
    for suffix in ("pth", "safetensors"):
        folder = tmp_path / suffix
        folder.mkdir()
        (folder / f"{name}.{suffix}").write_bytes((real_weights / f"{name}.{suffix}").read_bytes())
        folders.append(weights_of(name, str(folder)))
    assert folders[0].digest == folders[1].digest
    assert all(weights.trained for weights in folders)
    assert folders[0].digest != weights_of(name).digest
    np.testing.assert_array_equal(
        network(name, folders[0])(pixels()), network(name, folders[1])(pixels())
    )


@pytest.mark.slow
def test_random_weights_follow_from_their_seed_and_say_so() -> None:
    first, again, other = (weights_of("squeezenet1_1", f"random:{seed}") for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest
    assert not first.trained
    assert first.source == "random:0"
    with pytest.raises(UsageError, match="has no seed"):
        weights_of("squeezenet1_1", "random:")


def test_the_first_source_that_has_the_weights_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = weights_of("squeezenet1_1", str(tmp_path), "random:3")
    assert weights.source == "random:3"
    assert "no weights from" in caplog.text
    with pytest.raises(WeightsError, match=r"squeezenet1_1: no weights .*random:0"):
        weights_of("squeezenet1_1", str(tmp_path))


def saved_state(name: str, folder: Path) -> Path:
    path = folder / f"{name}.pth"
    torch.save(weights_of(name).content, path)
    return path


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    saved_state("squeezenet1_1", tmp_path).rename(tmp_path / "alexnet.pth")
    with pytest.raises(WeightsError, match=r"alexnet\.pth: not weights of alexnet \(no features"):
        weights_of("alexnet", str(tmp_path))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    state = dict(weights_of("squeezenet1_1").content)
    state["classifier.1.bias"] = torch.zeros(7)
    safetensors.torch.save_file(state, tmp_path / "squeezenet1_1.safetensors")
    with pytest.raises(
        WeightsError, match=r"classifier\.1\.bias is \(7,\), the network's is \(1000,\)"
    ):
        weights_of("squeezenet1_1", str(tmp_path))


def test_a_digest_that_does_not_match_is_refused(tmp_path: Path) -> None:
    path = saved_state("squeezenet1_1", tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "squeezenet1_1.pth.sha256").write_text(f"{digest}  squeezenet1_1.pth\n")
    assert weights_of("squeezenet1_1", str(tmp_path)).trained
    (tmp_path / "squeezenet1_1.pth.sha256").write_text("0" * 64)
    with pytest.raises(WeightsError, match="its SHA-256 is not the one"):
        weights_of("squeezenet1_1", str(tmp_path))
    (tmp_path / "squeezenet1_1.pth.sha256").unlink()
    path.rename(tmp_path / "squeezenet1_1-00000000.pth")
    with pytest.raises(WeightsError, match="does not begin with 00000000"):
        weights_of("squeezenet1_1", str(tmp_path))


class Hostile:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return print, ("code ran",)


@pytest.mark.parametrize(
    "data", [pickle.dumps(Hostile()), b"", b"not weights", b"PK\x03\x04 broken zip"]
)
def test_a_file_that_is_no_plain_weights_is_refused_and_never_run(
    tmp_path: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alexnet.pth").write_bytes(data)
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        weights_of("alexnet", str(tmp_path))
    hostile = io.BytesIO()
    torch.save({"features.0.weight": Hostile()}, hostile)
    (tmp_path / "alexnet.pth").write_bytes(hostile.getvalue())
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        weights_of("alexnet", str(tmp_path))
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.slow
def test_the_old_densenet_file_still_loads(tmp_path: Path) -> None:
    state = weights_of("densenet121").content
    old = {
        key.replace("norm1", "norm.1").replace("conv2", "conv.2")
        if "denselayer" in key
        else key: value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked")  # the published file is older than it
    }
    torch.save(old, tmp_path / "densenet121.pth")
    assert weights_of("densenet121", str(tmp_path)).digest == weights_of("densenet121").digest


@pytest.mark.timeout(60)
def test_building_ends_whatever_memory_holds() -> None:
    """trunc_normal_ draws again until every number is within bounds; nothing is drawn here."""
    memory = torch.full((8, 8), 9.0)
    with Undrawn():
        torch.nn.init.trunc_normal_(memory, std=0.02)
    assert memory.abs().max() <= 2
