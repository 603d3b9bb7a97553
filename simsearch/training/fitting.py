"""The part of the step `train` that fits heads: those that a run's spaces name and the root lacks.

For each encoder with such a head, the vectors of all originals and of the measured copies are made first.
They decide which artworks are held out. Then copies of the other artworks are made, to learn from.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch.catalog.sampling import seeded_sample
from simsearch.encoders.trained import (
    Training,
    count_seen,
    list_trainings,
    measured_of,
    store,
    training_settings,
)
from simsearch.errors import TrainingError
from simsearch.extraction.extract import extract
from simsearch.extraction.networks import PreparedNetwork
from simsearch.extraction.placement import Device
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.images.perturbations import mildest
from simsearch.runtime.progress import duration
from simsearch.runtime.remote_count import RemoteCount
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import run_followed
from simsearch.settings.config import Config
from simsearch.settings.sections.extraction import ExtractConfig
from simsearch.settings.version import __version__
from simsearch.storage.storage import Storage
from simsearch.training.heads import Fit, copied_artworks, epochs, fit_head
from simsearch.training.holdout import (
    Holdout,
    distances_of_nearest_copies,
    find_lookalikes,
    hold_out,
)
from simsearch.training.judging import LearnedFrom

log = logging.getLogger(__name__)


def fit_heads(
    config: Config,
    storage: Storage,
    catalog: pa.Table,
    networks: Sequence[PreparedNetwork],
    device: Device,
) -> list[Training]:
    """Fit the heads that the config's spaces name and the root lacks. Returns the new trainings.

    A head that was fitted with the same settings for the same encoder stays, unless it saw an artwork
    that is measured now. Raises TrainingError if too little is left to learn from.
    """
    trainings = []
    for network in networks:
        wanted = _heads_of(config.extract, network.space)
        if not wanted:
            continue
        images = extract(config, storage, catalog, [network], device).images
        missing = [
            name for name in wanted if not _is_usable(config, storage, name, network, images)
        ]
        if not missing:
            continue
        held = _holdout(storage, network.space, images, config.seed)
        # A head that needs few copies gets few whether or not another is fitted beside it.
        for count, names in _by_copied_artworks(config, missing).items():
            data = images.slice(0, 0)
            if count != 0:
                data = _make_copies(config, storage, catalog, network, held, device, count)
            trainings += [_fit(config, storage, name, network.space, held, data) for name in names]
    return trainings


def _heads_of(extract: ExtractConfig, encoder: FeatureSpace) -> list[str]:
    named = (space for space in extract.spaces if space.backbone == encoder.encoder)
    return list(dict.fromkeys(space.head for space in named if space.head is not None))


def _by_copied_artworks(config: Config, heads: Sequence[str]) -> dict[int | None, list[str]]:
    """The names of heads by the number of artworks whose copies their fit needs, None for all."""
    groups: dict[int | None, list[str]] = {}
    for name in heads:
        count = copied_artworks(config.heads[name], config.train.originals)
        groups.setdefault(count, []).append(name)
    return groups


def _is_usable(
    config: Config, storage: Storage, name: str, network: PreparedNetwork, images: pa.Table
) -> bool:
    for training in list_trainings(storage):
        same = (training.name, training.fitted_for, training.settings) == (
            name,
            network.space.fingerprint,
            training_settings(config, config.heads[name]),
        )
        if same:
            seen = count_seen(storage, training, measured_of(images))
            if seen:
                log.info("train: %s saw %s artworks that are measured now", name, seen)
            return not seen
    return False


def _holdout(storage: Storage, encoder: FeatureSpace, images: pa.Table, seed: int) -> Holdout:
    originals = images.filter(pc.field("profile").is_null())
    copies = images.filter(pc.field("profile").is_valid())
    owners = pc.index_in(copies["artwork_id"], value_set=originals["artwork_id"].combine_chunks())
    vectors = feature_store.read_vectors(storage, encoder, originals)
    places = np.asarray(owners, dtype=np.int64)
    measured = np.zeros(originals.num_rows, dtype=bool)
    measured[places] = True
    nearest = np.zeros(0)
    if encoder.trained:  # the neighbours in an untrained space mean nothing
        mild = np.isin(
            copies["profile"].to_numpy(), mildest(pc.unique(copies["profile"]).to_pylist())
        )
        copied = feature_store.read_vectors(storage, encoder, copies.filter(pa.array(mild)))
        nearest = distances_of_nearest_copies(vectors, copied, places[mild])
    hashes = originals["content_hash"].to_numpy()
    near = find_lookalikes(vectors, hashes, measured, nearest, seed)
    held = hold_out(originals, measured, near)
    log.info(
        "train: %s: %s artworks to learn from; held out: %s",
        encoder.fingerprint,
        f"{held.learned_from.num_rows:,}",
        ", ".join(f"{count:,} {reason}" for reason, count in held.held_out.items()),
    )
    return held


def _make_copies(
    config: Config,
    storage: Storage,
    catalog: pa.Table,
    network: PreparedNetwork,
    held: Holdout,
    device: Device,
    artworks: int | None,
) -> pa.Table:
    """schemas.IMAGES of a sample of the artworks to learn from, None for all, with their copies."""
    allowed = held.learned_from["artwork_id"].to_pylist()
    copied = seeded_sample(allowed, artworks, config.seed)
    copies = config.perturbations.model_copy(
        update={"suite": None, "profiles": config.train.profiles, "originals": None}
    )
    rows = catalog.filter(pc.is_in(catalog["artwork_id"], value_set=pa.array(copied)))
    return extract(
        config.model_copy(update={"perturbations": copies}), storage, rows, [network], device
    ).images


def _fit(
    config: Config,
    storage: Storage,
    name: str,
    encoder: FeatureSpace,
    held: Holdout,
    images: pa.Table,
) -> Training:
    started = time.monotonic()
    settings = config.heads[name]
    count, total = RemoteCount.start(), epochs(settings)
    reference = _fit_head.remote(
        name, settings, storage, encoder, held.learned_from, images, config.seed, count
    )
    fitted: _Fitted = run_followed(
        "train", total, "epochs", config.ray, lambda: ray.get(reference), count.read
    )
    weights = fitted.fit.head.to_bytes()
    training = Training(
        name=name,
        settings=training_settings(config, config.heads[name]),
        fitted_for=encoder.fingerprint,
        dimension=fitted.fit.head.dimension,
        profiles=config.train.profiles,
        artworks=held.learned_from.num_rows,
        images=fitted.images,
        held_out=held.held_out,
        losses=fitted.fit.losses,
        chosen=fitted.fit.chosen,
        seconds=round(time.monotonic() - started, 3),
        device="cpu",
        data_sha256=fitted.data_sha256,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        code_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    store(storage, training, weights, held.learned_from)
    log.info(
        "train: %s for %s: %s numbers, from %s vectors in %s",
        name,
        encoder.fingerprint,
        training.dimension,
        f"{fitted.images:,}",
        duration(training.seconds),
    )
    return training


@dataclass(frozen=True)
class _Fitted:
    fit: Fit
    data_sha256: str  # of the vectors
    images: int


@ray.remote(num_cpus=TASKS["fit"].cpus, max_retries=ENDLESS)
def _fit_head(
    name: str,
    settings: Any,
    storage: Storage,
    encoder: FeatureSpace,
    artworks: pa.Table,
    images: pa.Table,
    seed: int,
    count: RemoteCount,
) -> _Fitted:
    """Fit a head to the vectors of `images`, and of the `artworks` that are not among them."""
    copied = set(images["artwork_id"].to_pylist())
    alone = artworks.filter(
        pa.array([artwork_id not in copied for artwork_id in artworks["artwork_id"].to_pylist()])
    )
    singles = alone.append_column("profile", pa.nulls(alone.num_rows, pa.string()))
    rows = pa.concat_tables(
        [table.select(["artwork_id", "profile", "content_hash"]) for table in (images, singles)]
    )
    vectors = feature_store.read_vectors(storage, encoder, rows)
    _, numbers = np.unique(rows["artwork_id"].to_numpy(), return_inverse=True)
    _, profiles = np.unique(pc.fill_null(rows["profile"], "").to_numpy(), return_inverse=True)
    fit = fit_head(name, settings, LearnedFrom(vectors, numbers, profiles), seed, count.tell)
    if not all(
        np.isfinite(part).all() for layer in fit.head.layers for part in (layer.weight, layer.bias)
    ):
        raise TrainingError(
            f"heads.{name}: the fit gave numbers that are not finite; change its settings"
        )
    digest = hashlib.sha256(vectors.tobytes()).hexdigest()
    return _Fitted(fit, digest, len(vectors))
