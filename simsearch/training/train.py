"""Learn encoders from pixels on Ray Train, in this process or over the workers of a cluster."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import safetensors.torch
from pyarrow.fs import FSSpecHandler, PyFileSystem
from ray.train import RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchTrainer

from simsearch.catalog.sampling import seeded_sample
from simsearch.encoders.backbones.learned import find_training, preprocessing_of
from simsearch.encoders.trained import (
    Training,
    count_seen,
    store,
    training_settings,
)
from simsearch.errors import SimsearchError
from simsearch.extraction.missing import choose_originals
from simsearch.extraction.placement import Device
from simsearch.runtime.progress import duration, progress
from simsearch.runtime.remote_count import RemoteCount
from simsearch.runtime.watchdog import run_followed
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import RayConfig
from simsearch.settings.version import __version__
from simsearch.storage.filesystems import _filesystem
from simsearch.storage.storage import Storage
from simsearch.storage.uris import _bare
from simsearch.training import checkpoints, examples
from simsearch.training.data import PixelSet, decode_pixels, read_pixels
from simsearch.training.holdout import Holdout, find_near_measured, hold_out
from simsearch.training.loop import Assignment, learn, steps, training_pixels

log = logging.getLogger(__name__)

FOLDER = "training"
THUMBNAIL = 16  # side in pixels of the thumbnails by which two originals are compared
# From this cosine on, two thumbnails without their mean colours show one picture.
NEAR_COSINE = 0.98
ATTEMPTS = 3  # at one epoch


def learn_encoders(
    config: Config, storage: Storage, catalog: pa.Table, device: Device
) -> list[Training]:
    """Learn the autoencoders that the config's spaces name and the root lacks. Returns the new trainings.

    An autoencoder that was learned with the same settings stays, unless it saw an artwork that is measured
    now. A training that was killed goes on after its last whole epoch. Raises TrainingError if too little
    is left to learn from, or for a loss that is not finite.
    """
    measured = choose_originals(config, catalog["artwork_id"].to_pylist())
    trainings = []
    for name in config.extract.backbones:
        if name not in config.autoencoders:
            continue
        training = find_training(config, storage, name)
        if training is None or _has_seen(storage, training, measured):
            trainings.append(_learn(config, storage, catalog, name, measured, device))
    return trainings


def _has_seen(storage: Storage, training: Training, measured: frozenset[str]) -> bool:
    seen = count_seen(storage, training, pa.table({"artwork_id": sorted(measured)}))
    if seen:
        log.info("train: %s saw %s artworks that are measured now", training.name, seen)
    return bool(seen)


def _learn(
    config: Config,
    storage: Storage,
    catalog: pa.Table,
    name: str,
    measured: frozenset[str],
    device: Device,
) -> Training:
    settings = training_settings(config, config.autoencoders[name])
    decided = {"settings": settings, "side": config.perturbations.side}
    folder = f"{FOLDER}/{name}-{_key(decided, catalog, measured)}"
    own = config.autoencoders[name]
    pixels = f"{folder}/pixels"
    decode_pixels(config, storage, pixels, catalog, preprocessing_of(own), ())
    everything = read_pixels(storage, pixels, own.side)
    held = _holdout(everything.select(everything.originals), measured)
    allowed = held.learned_from["artwork_id"].to_pylist()
    copied = seeded_sample(allowed, config.train.originals, config.seed)
    rows = catalog.filter(pc.is_in(catalog["artwork_id"], value_set=pa.array(copied)))
    decode_pixels(config, storage, pixels, rows, preprocessing_of(own), config.train.profiles)
    log.info(
        "train: %s: %s artworks to learn from; held out: %s",
        name,
        f"{len(allowed):,}",
        ", ".join(f"{count:,} {reason}" for reason, count in held.held_out.items()),
    )
    assignment = Assignment(name, own, storage, folder, frozenset(allowed), config.seed)
    _fit_watched(config.ray, assignment, use_gpu=device == "cuda")
    training = _keep(config, assignment, held, everything, settings, device)
    checkpoints.clear(storage, folder)
    return training


def _key(settings: Any, catalog: pa.Table, measured: frozenset[str]) -> str:
    """A name that follows from everything that decides a training, so that only the same training goes
    on."""
    listed = [settings, catalog["artwork_id"].to_pylist(), catalog["etag"].to_pylist()]
    return hashlib.sha256(json.dumps([listed, sorted(measured)]).encode()).hexdigest()[:16]


def _holdout(originals: PixelSet, measured: frozenset[str]) -> Holdout:
    ids = originals.rows["artwork_id"].to_pylist()
    wanted = np.array([artwork_id in measured for artwork_id in ids], dtype=bool)
    side = originals.pixels.shape[1] // THUMBNAIL
    small = originals.pixels.reshape(len(ids), THUMBNAIL, side, THUMBNAIL, side, 3)
    thumbnails = small.mean(axis=(2, 4), dtype=np.float32).reshape(len(ids), -1, 3)
    thumbnails -= thumbnails.mean(axis=1, keepdims=True)
    near = find_near_measured(
        thumbnails.reshape(len(ids), -1), wanted, float(np.sqrt(2 - 2 * NEAR_COSINE))
    )
    return hold_out(originals.rows, wanted, near)


def _fit_watched(config: RayConfig, assignment: Assignment, *, use_gpu: bool) -> None:
    workers, total = config.train_workers, steps(assignment)
    if not workers:  # in this process there is nothing to wait for
        with progress("train", total, "steps", config.log_seconds) as advance:
            fit(assignment, workers=0, use_gpu=use_gpu, tell=advance)
        return
    count = RemoteCount.start()
    work = partial(fit, assignment, workers=workers, use_gpu=use_gpu, tell=count.tell)
    run_followed("train", total, "steps", config, work, count.read)


def fit(
    assignment: Assignment,
    *,
    workers: int,
    use_gpu: bool,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Run the training to its end, in this process if `workers` is 0. `tell` gets the number of finished
    steps after each.

    A worker that is lost, alone or with its node, costs the epoch in progress. The training goes on after
    the last whole epoch, with as many of `workers` as there is room for. Raises a worker's own
    SimsearchError, and SimsearchError if one epoch failed ATTEMPTS times.
    """
    logging.getLogger("ray.train").setLevel(logging.WARNING)  # the loop has its own log
    failures: Counter[int] = Counter()  # by the last whole epoch before the failure
    while True:
        try:
            _trainer(assignment, workers, use_gpu, tell).fit()
            return
        except TrainingFailedError as error:
            _raise_reason(error)
            kept = checkpoints.last_epoch(assignment.storage, assignment.folder)
            failures[kept] += 1
            reason = " ".join(str(error).split())
            if failures[kept] == ATTEMPTS or not workers:
                raise SimsearchError(
                    f"training {assignment.name} failed: {reason}; run the same "
                    "command again to go on after its last whole epoch"
                ) from error
            log.warning(
                "train: %s: a worker was lost; going on after epoch %d: %s",
                assignment.name,
                kept,
                reason,
            )


def _trainer(
    assignment: Assignment, workers: int, use_gpu: bool, tell: Callable[[int], None]
) -> TorchTrainer:
    storage = assignment.storage
    room: Any = (1, workers) if workers > 1 else workers  # elastic: at least one, at most `workers`
    return TorchTrainer(
        learn,
        train_loop_config={"assignment": assignment, "tell": tell},
        scaling_config=ScalingConfig(num_workers=room, use_gpu=use_gpu),
        run_config=RunConfig(
            name="ray",
            storage_path=_bare(storage.uri(assignment.folder)),
            storage_filesystem=PyFileSystem(
                FSSpecHandler(_filesystem(storage.root, storage.config))
            ),
        ),
    )


def _raise_reason(error: TrainingFailedError) -> None:
    """Raise the SimsearchError that ended a worker, if there is one."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    for failure in failures.values():
        cause = getattr(failure, "cause", None) or failure.__cause__ or failure
        if isinstance(cause, SimsearchError):
            raise cause from None


def _keep(
    config: Config,
    assignment: Assignment,
    held: Holdout,
    everything: PixelSet,
    settings: dict[str, Any],
    device: Device,
) -> Training:
    storage = assignment.storage
    last = checkpoints.latest(storage, assignment.folder)
    assert last is not None
    weights = safetensors.torch.save(
        {key: tensor.contiguous() for key, tensor in last.model.items()}
    )
    data = training_pixels(assignment)
    seconds = sum(row["seconds"] for row in last.losses)
    training = Training(
        name=assignment.name,
        settings=settings,
        fitted_for=None,
        dimension=assignment.settings.latent,
        profiles=config.train.profiles,
        artworks=held.learned_from.num_rows,
        images=len(data.pixels),
        held_out=held.held_out,
        losses=tuple(last.losses),
        seconds=round(seconds, 3),
        device=device,
        data_sha256=data.digest,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        code_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    shown_ids = _examples_of(everything, held)
    examples.store(
        config, storage, training, assignment.settings, last.model, everything, shown_ids
    )
    store(storage, training, weights, held.learned_from)
    log.info(
        "train: %s: %s epochs over %s images in %s",
        assignment.name,
        len(last.losses),
        f"{len(data.pixels):,}",
        duration(seconds),
    )
    return training


def _examples_of(everything: PixelSet, held: Holdout) -> Sequence[str]:
    """The ids of artworks to show that the training did not see."""
    learned = set(held.learned_from["artwork_id"].to_pylist())
    ids = everything.rows["artwork_id"].to_pylist()
    return [artwork_id for artwork_id in dict.fromkeys(ids) if artwork_id not in learned][
        : examples.SHOWN
    ]
