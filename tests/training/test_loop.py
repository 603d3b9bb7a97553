"""The training loop on Ray Train inside this process: seeded, resumed, stopped where it must."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from simsearch.encoders.backbones.autoencoder import Autoencoder
from simsearch.errors import StorageError, TrainingError
from simsearch.settings.sections.training import AutoencoderConfig
from simsearch.storage.storage import Storage
from simsearch.training import checkpoints
from simsearch.training.data import PIXELS, read_pixels
from simsearch.training.loop import (
    Assignment,
    _Worker,
    batches_of,
    kl_weight,
    steps,
    training_pixels,
)
from simsearch.training.train import fit

SIDE, ARTWORKS = 32, 24


def _assignment(root: Path, name: str = "mine", **settings: Any) -> Assignment:
    """Originals of two colours with a darker copy of each, stored as the decode stage stores them."""
    storage = Storage(str(root))
    random = np.random.default_rng(1)
    rows = []
    for number in range(ARTWORKS):
        first, second = random.integers(60, 256, (2, 3))
        image = np.empty((SIDE, SIDE, 3), np.uint8)
        image[: SIDE // 2], image[SIDE // 2 :] = first, second
        for profile, pixels in ((None, image), ("brightness-4", image // 2)):
            rows.append(
                {
                    "artwork_id": f"a{number:02}",
                    "profile": profile,
                    "content_hash": f"h{number}",
                    "pixels": pixels.tobytes(),
                }
            )
    storage.write_table("t/pixels/part-1.parquet", pa.Table.from_pylist(rows[:20], schema=PIXELS))
    storage.write_table("t/pixels/part-2.parquet", pa.Table.from_pylist(rows[16:], schema=PIXELS))
    given = {"side": SIDE, "latent": 8, "width": 8, "epochs": 4, "batch_size": 16, **settings}
    learned_from = frozenset(f"a{number:02}" for number in range(ARTWORKS - 4))
    return Assignment(name, AutoencoderConfig(**given), storage, "t", learned_from, seed=5)


def _learned(assignment: Assignment) -> checkpoints.Checkpoint:
    checkpoint = checkpoints.latest(assignment.storage, assignment.folder)
    assert checkpoint is not None
    return checkpoint


def _curve(assignment: Assignment) -> list[dict[str, float]]:
    rows = _learned(assignment).losses
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["autoencoder", "variational", "denoising"])
def test_a_killed_training_goes_on_with_the_same_losses(kind: str, tmp_path: Path) -> None:
    whole = _assignment(tmp_path / "whole", kind=kind)
    fit(whole, workers=0, use_gpu=False)
    killed = _assignment(tmp_path / "killed", kind=kind)
    for _ in itertools.islice(_Worker(killed, 0, 1).epochs(), 2):
        pass
    assert len(_curve(killed)) == 2
    fit(killed, workers=0, use_gpu=False)
    assert _curve(killed) == _curve(whole)
    assert _curve(whole)[-1]["reconstruction"] < _curve(whole)[0]["reconstruction"]
    for key, tensor in _learned(whole).model.items():
        assert torch.equal(tensor, _learned(killed).model[key])


@pytest.mark.slow
def test_another_seed_is_another_training(tmp_path: Path) -> None:
    first, second = (_assignment(tmp_path / name, epochs=1) for name in ("first", "second"))
    object.__setattr__(second, "seed", 6)
    for assignment in (first, second):
        fit(assignment, workers=0, use_gpu=False)
    assert _curve(first) != _curve(second)


def test_only_artworks_to_learn_from_are_looked_at(tmp_path: Path) -> None:
    data = training_pixels(_assignment(tmp_path, kind="denoising"))
    assert len(data.pixels) == 2 * (ARTWORKS - 4)
    seen = set(data.rows["artwork_id"].to_pylist())
    assert seen == {f"a{number:02}" for number in range(ARTWORKS - 4)}
    targets = data.rows.take(pa.array(data.original_of()))
    assert targets["profile"].null_count == targets.num_rows
    assert targets["artwork_id"].equals(data.rows["artwork_id"])


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_at_the_last_good_epoch(tmp_path: Path) -> None:
    good = _assignment(tmp_path, epochs=2)
    fit(good, workers=0, use_gpu=False)
    kept = _learned(good)
    kept.model["mean.weight"][0, 0] = float("nan")
    checkpoints.save(good.storage, good.folder, kept)
    with pytest.raises(
        TrainingError,
        match=r"^autoencoders\.mine: .* in epoch 3 \(epoch 2 is kept in .*learning_rate",
    ):
        fit(_assignment(tmp_path, epochs=4), workers=0, use_gpu=False)
    assert _learned(good).epoch == 2


def test_a_broken_checkpoint_is_one_line(tmp_path: Path) -> None:
    assignment = _assignment(tmp_path)
    assignment.storage.write_bytes("t/checkpoint-00003.pt", b"\x80\x04cos\nsystem\n(S'id'\ntR.")
    with pytest.raises(StorageError, match=r"checkpoint-00003\.pt: not a checkpoint"):
        fit(assignment, workers=0, use_gpu=False)


@pytest.mark.slow
def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    assignment = _assignment(tmp_path, epochs=5)
    fit(assignment, workers=0, use_gpu=False)
    names = [info.path for info in assignment.storage.files("t") if info.path.startswith("check")]
    assert names == ["checkpoint-00004.pt", "checkpoint-00005.pt"]


@pytest.mark.slow
def test_a_divergence_that_counts_for_all_leaves_no_unit_in_use(tmp_path: Path) -> None:
    assignment = _assignment(
        tmp_path, kind="variational", beta=1e4, warm_up=0.0, epochs=12, learning_rate=3e-3
    )
    fit(assignment, workers=0, use_gpu=False)
    rows = _curve(assignment)
    assert rows[-1]["active_units"] == 0
    assert rows[-1]["divergence"] < 0.05 * rows[0]["divergence"]


def test_the_weight_of_the_divergence_rises_during_the_warm_up() -> None:
    settings = AutoencoderConfig(kind="variational", beta=2.0, warm_up=0.5)
    weights = [kl_weight(settings, step, 100) for step in range(100)]
    assert weights[0] == 0
    assert weights[25] == pytest.approx(1.0)
    assert weights == sorted(weights)
    assert set(weights[50:]) == {2.0}


def test_every_batch_is_whole_and_shared_without_loss() -> None:
    batches = list(batches_of(103, 16, seed=1, epoch=0))
    assert [len(rows) for rows in batches] == [16] * 6
    assert len({*np.concatenate(batches).tolist()}) == 96
    shares = [batches[0][rank::3] for rank in range(3)]
    assert sorted(np.concatenate(shares)) == sorted(batches[0])
    assert not np.array_equal(batches[0], next(batches_of(103, 16, seed=1, epoch=1)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["autoencoder", "variational", "denoising"])
@pytest.mark.parametrize(("workers", "images"), [(3, 16), (3, 2), (5, 1), (4, 12), (2, 1)])
def test_workers_of_any_number_share_a_batch_as_one_would_learn_it(
    kind: str, workers: int, images: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts of the losses add up, and the average of the gradients is that of the whole batch."""
    monkeypatch.setattr("ray.train.torch.get_device", lambda: torch.device("cpu"))
    monkeypatch.setattr("ray.train.torch.prepare_model", lambda model: model)
    rows = np.random.default_rng(4).permutation(40)[:images]

    def learned(rank: int, count: int) -> tuple[np.ndarray, list[torch.Tensor]]:
        worker = _Worker(_assignment(tmp_path, kind=kind), rank, count)
        monkeypatch.setattr(worker._optimiser, "step", lambda: None)
        noise = worker._noise(images, epoch=0, step=0)
        part = worker._step(rows[rank::count], images, noise, 0.3)
        return part.numpy(), [torch.as_tensor(weight.grad) for weight in worker._model.parameters()]

    whole, gradients = learned(0, 1)
    shares = [learned(rank, workers) for rank in range(workers)]
    np.testing.assert_allclose(np.sum([part for part, _ in shares], axis=0), whole, rtol=1e-5)
    steepest = max(float(gradient.abs().max()) for gradient in gradients)
    for number, gradient in enumerate(gradients):
        mean = torch.stack([parts[number] for _, parts in shares]).mean(dim=0)
        torch.testing.assert_close(mean, gradient, rtol=1e-3, atol=1e-5 * steepest)


def test_pixels_stored_twice_are_read_once_in_order(tmp_path: Path) -> None:
    assignment = _assignment(tmp_path)
    pixels = read_pixels(assignment.storage, "t/pixels", SIDE)
    assert pixels.rows["artwork_id"].to_pylist() == sorted(
        f"a{number:02}" for number in range(ARTWORKS) for _ in range(2)
    )
    assert pixels.originals.tolist() == [True, False] * ARTWORKS
    assert pixels.original_of().tolist() == [n - n % 2 for n in range(2 * ARTWORKS)]


@pytest.mark.parametrize("side", [32, 64, 128])
@pytest.mark.parametrize("kind", ["autoencoder", "variational"])
def test_images_go_through_few_numbers_and_back(side: int, kind: str) -> None:
    model = Autoencoder(AutoencoderConfig(side=side, kind=kind, latent=7, width=4))
    images = torch.rand(3, 3, side, side)
    remade, mean, log_variance = model(images)
    assert remade.shape == images.shape
    assert mean.shape == (3, 7)
    assert (log_variance is not None) == (kind == "variational")
    torch.testing.assert_close(model.encode(images), mean)
    torch.testing.assert_close(model.encode(images[1:2]), mean[1:2])  # no other image counts


@pytest.mark.slow
def test_it_tells_of_as_many_steps_as_there_are(tmp_path: Path) -> None:
    assignment = _assignment(tmp_path)
    counts: list[int] = []
    fit(assignment, workers=0, use_gpu=False, tell=counts.append)
    assert counts == list(range(1, steps(assignment) + 1))
