"""The networks of a run, resolved once: weights found, precision chosen, feature space named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray

from simsearch.config import Config
from simsearch.encoders.backbones.learned import encoder_of
from simsearch.encoders.encoder import Specification, Weights, check_studied, preprocessing_for
from simsearch.encoders.precision import choose_precision
from simsearch.extraction.placement import Device
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.features.space import FeatureSpace
from simsearch.images.preprocessing import Preprocessing
from simsearch.runtime.resources import task_options
from simsearch.runtime.watchdog import wait_for
from simsearch.sections.extraction import safe_name
from simsearch.storage.storage import root_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedNetwork:
    """An encoder with all that its actors need."""

    space: FeatureSpace
    encoder: Specification
    preprocessing: Preprocessing
    weights: StoredWeights
    precision_reason: str


def prepare_networks(config: Config, device: Device) -> list[PreparedNetwork]:
    """Resolve every encoder of the config, in its order.

    Raises UnknownNameError for an encoder that is not registered, WeightsError for weights that
    cannot be had and UsageError for one that the study's mode or preprocessing does not fit.
    """
    encoders = [encoder_of(config, name) for name in config.extract.backbones]
    preprocessings = [_preprocessing(encoder, config) for encoder in encoders]
    resolved = [_resolve(encoder, config) for encoder in encoders]
    stored = [StoredWeights.store(root_of(config), weights) for weights in resolved]
    # Where the actors will run, whose hardware may not be this process's; in one process, as
    # PyTorch takes longer to start than the trial.
    remote: Any = ray.remote
    choose = remote(_choose_precisions).options(**task_options("precision", gpu=device == "cuda"))
    setting = config.extract.precision
    chosen = [(setting, "as set")] * len(encoders)
    if setting == "auto" or any(encoder.precision for encoder in encoders):
        reference = choose.remote(encoders, stored, preprocessings, device, setting)
        chosen = wait_for("extract: choosing precisions", config.ray, reference)
    prepared = []
    for encoder, weights, preprocessing, (precision, reason) in zip(
        encoders, stored, preprocessings, chosen, strict=True
    ):
        space = _space(config, encoder, weights.described, preprocessing, precision)
        log.info("%s: %s, %s (%s)", space.fingerprint, space.weights_source, precision, reason)
        prepared.append(PreparedNetwork(space, encoder, preprocessing, weights, reason))
    return prepared


def _choose_precisions(
    encoders: Sequence[Specification],
    weights: Sequence[StoredWeights],
    preprocessings: Sequence[Preprocessing],
    device: str,
    setting: str,
) -> list[tuple[str, str]]:
    return [
        choose_precision(encoder, stored.load(), preprocessing, device=device)
        if setting == "auto" or encoder.precision
        else (setting, "as set")
        for encoder, stored, preprocessing in zip(encoders, weights, preprocessings, strict=True)
    ]


def _preprocessing(encoder: Specification, config: Config) -> Preprocessing:
    if config.extract.mode == "study-2018":
        check_studied(encoder, "extract.mode")
    return preprocessing_for(encoder, config.extract.preprocessing)


def _resolve(encoder: Specification, config: Config) -> Weights:
    sources = config.extract.weights_for.get(encoder.name, config.extract.weights)
    weights = encoder.weights(sources, config.storage)
    if not weights.trained:
        log.warning(
            "%s: UNTRAINED weights (%s): its figures say nothing about the trained network",
            encoder.name,
            weights.source,
        )
    return weights


def _space(
    config: Config,
    encoder: Specification,
    weights: Weights,
    preprocessing: Preprocessing,
    precision: str,
) -> FeatureSpace:
    named = {each.backbone: each.name for each in config.extract.spaces if each.head is None}
    return FeatureSpace(
        name=named.get(encoder.name, safe_name(encoder.name)),
        encoder=encoder.name,
        layer=encoder.layer,
        dimension=encoder.dimension,
        weights_source=weights.source,
        weights_digest=weights.digest,
        trained=weights.trained,
        preprocessing=preprocessing.describe(),
        mode=config.extract.mode,
        precision=precision,
        background=config.images.background,
        perturbations=config.remake().described,
    )
