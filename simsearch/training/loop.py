"""The training loop of every worker: epochs over the same shuffled batches. The worker takes its share of
each batch.

A training is the same in one process and in several: batches, their order and a variational network's
noise follow only from seed, epoch and step, and workers average their gradients.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch
from torch import nn

from simsearch.encoders.backbones.autoencoder import Autoencoder
from simsearch.errors import TrainingError
from simsearch.settings.sections.training import AutoencoderConfig
from simsearch.storage.storage import Storage
from simsearch.training import checkpoints
from simsearch.training.checkpoints import Checkpoint
from simsearch.training.data import PixelSet, count_images, read_pixels
from simsearch.training.losses import divergence, reconstruction

log = logging.getLogger(__name__)

# A latent number is in use if its mean has more than this variance over images (Burda, Grosse and
# Salakhutdinov 2016, section 5.2).
ACTIVE = 0.01
# Images from which this is measured, spread evenly over all. They take 2 % of an epoch of 2,048.
ACTIVE_FROM = 256


@dataclass(frozen=True)
class Assignment:
    """The task of a worker. The pixels and checkpoints lie in `folder` of `storage`. `learned_from` are the
    artworks that the worker may see."""

    name: str
    settings: AutoencoderConfig
    storage: Storage
    folder: str
    learned_from: frozenset[str]
    seed: int


def learn(given: dict[str, Any]) -> None:
    """Run the whole training, from the last checkpoint on. Raises TrainingError for a loss that is not
    finite. The checkpoint before it stays."""
    assignment: Assignment = given["assignment"]
    context = ray.train.get_context()
    worker = _Worker(assignment, context.get_world_rank(), context.get_world_size(), given["tell"])
    for row in worker.epochs():
        ray.train.report(row)


class _Worker:
    def __init__(
        self,
        assignment: Assignment,
        rank: int,
        workers: int,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._assignment, self._rank, self._workers = assignment, rank, workers
        self._tell = tell
        self._data = training_pixels(assignment)
        self._targets = np.arange(len(self._data.pixels))
        if assignment.settings.kind == "denoising":
            self._targets = self._data.original_of()
        self._device = ray.train.torch.get_device()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(assignment.seed)
            self._whole = Autoencoder(assignment.settings)
        self._found = checkpoints.latest(assignment.storage, assignment.folder)
        if self._found is not None:
            self._whole.load_state_dict(self._found.model)
        self._model: nn.Module = ray.train.torch.prepare_model(self._whole)
        self._optimiser = torch.optim.Adam(
            self._model.parameters(), lr=assignment.settings.learning_rate
        )
        if self._found is not None:
            self._optimiser.load_state_dict(self._found.optimiser)

    def epochs(self) -> Iterator[dict[str, float]]:
        """Learn the remaining epochs. Yields the mean losses of each epoch once it is stored."""
        assignment = self._assignment
        losses = [] if self._found is None else self._found.losses
        for epoch in range(len(losses), assignment.settings.epochs):
            started = time.monotonic()
            means = self._epoch(epoch)
            if not all(math.isfinite(value) for value in means.values()):
                kept = f"epoch {epoch} is kept" if epoch else "none was good"
                raise TrainingError(
                    f"autoencoders.{assignment.name}: the loss is not finite in epoch {epoch + 1} "
                    f"({kept} in {assignment.storage.uri(assignment.folder)}); lower "
                    f"autoencoders.{assignment.name}.learning_rate "
                    f"(is {assignment.settings.learning_rate:g})"
                )
            row = {"epoch": epoch + 1.0, **means, "seconds": time.monotonic() - started}
            losses = [*losses, row]
            if self._rank == 0:
                checkpoints.save(
                    assignment.storage,
                    assignment.folder,
                    Checkpoint(
                        epoch + 1, self._whole.state_dict(), self._optimiser.state_dict(), losses
                    ),
                )
                log.info(
                    "train: %s: epoch %s of %s: %s",
                    assignment.name,
                    epoch + 1,
                    assignment.settings.epochs,
                    ", ".join(f"{name} {value:,.1f}" for name, value in means.items()),
                )
            yield row

    def _epoch(self, epoch: int) -> dict[str, float]:
        settings = self._assignment.settings
        batches = list(
            batches_of(len(self._data.pixels), settings.batch_size, self._assignment.seed, epoch)
        )
        sums = torch.zeros(2, dtype=torch.float64)
        for step, rows in enumerate(batches):
            share = rows[self._rank :: self._workers]
            done = epoch * len(batches) + step
            weight = kl_weight(settings, done, settings.epochs * len(batches))
            noise = self._noise(len(rows), epoch, step)
            sums += self._step(share, len(rows), noise, weight)
            if self._rank == 0:
                self._tell(done + 1)
        if self._workers > 1:
            torch.distributed.all_reduce(sums)
        error, divergence_mean = (sums / len(batches)).tolist()
        means = {"reconstruction": error}
        if settings.kind == "variational":
            means |= {"divergence": divergence_mean, "active_units": float(self._active())}
        return means

    def _step(
        self, rows: np.ndarray, batch_size: int, noise: torch.Tensor | None, weight: float
    ) -> torch.Tensor:
        """Learn from this worker's `rows` of a batch. Returns their part of the batch's mean losses.

        Workers may have unequal shares, or none. Each image counts the same, so that the parts of all
        workers add up to the losses that a single worker would have.
        """
        images, targets = (
            to_images(self._data.pixels[at], self._device) for at in (rows, self._targets[rows])
        )
        remade, mean, log_variance = self._model(images, noise)
        error = reconstruction(remade, targets, batch_size)
        divergence_sum = (
            torch.zeros((), device=error.device)
            if log_variance is None
            else divergence(mean, log_variance, batch_size).sum()
        )
        self._optimiser.zero_grad()
        # Gradients are averaged over workers, not added.
        (self._workers * (error + weight * divergence_sum)).backward()
        self._optimiser.step()
        return torch.tensor([error.item(), divergence_sum.item()], dtype=torch.float64)

    def _noise(self, count: int, epoch: int, step: int) -> torch.Tensor | None:
        """This worker's rows of the noise for a whole batch."""
        if self._assignment.settings.kind != "variational":
            return None
        random = np.random.default_rng((self._assignment.seed, epoch, step))
        drawn = random.standard_normal((count, self._assignment.settings.latent), np.float32)
        return torch.from_numpy(drawn[self._rank :: self._workers]).to(self._device)

    def _active(self) -> int:
        rows = np.linspace(0, len(self._data.pixels) - 1, ACTIVE_FROM).astype(np.int64)
        with torch.inference_mode():
            means = [
                self._whole.encode(to_images(self._data.pixels[part], self._device))
                for part in np.array_split(np.unique(rows), 8)
            ]
        return int((torch.cat(means).var(dim=0) > ACTIVE).sum())


def training_pixels(assignment: Assignment) -> PixelSet:
    """The stored pixels of the artworks to learn from."""
    stored = read_pixels(
        assignment.storage, f"{assignment.folder}/pixels", assignment.settings.side
    )
    ids = stored.rows["artwork_id"].to_pylist()
    return stored.select(
        np.array([artwork_id in assignment.learned_from for artwork_id in ids], dtype=bool)
    )


def steps(assignment: Assignment) -> int:
    """The number of steps of the whole training."""
    settings, pixels = assignment.settings, f"{assignment.folder}/pixels"
    count = count_images(assignment.storage, pixels, assignment.learned_from)
    return settings.epochs * (count // min(settings.batch_size, count))


def batches_of(count: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The rows of whole batches, in an order that follows from seed and epoch. A remainder waits for the
    next epoch."""
    order = np.random.default_rng((seed, epoch)).permutation(count)
    size = min(batch_size, count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def kl_weight(settings: AutoencoderConfig, step: int, steps: int) -> float:
    """The weight of the divergence at a step. It rises in a line from 0 to `beta` during the warm-up."""
    rising = settings.warm_up * steps
    return settings.beta * min(1.0, step / rising if rising else 1.0)


def to_images(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """uint8 [n, h, w, 3] to float32 [n, 3, h, w] in 0..1."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255)
