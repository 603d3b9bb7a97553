"""The networks of a run, resolved once: weights found, precision chosen, feature space named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray

from simsearch.config import Config
from simsearch.encoders.encoder import Backbone
from simsearch.encoders.precision import choose_precision
from simsearch.encoders.preprocessing import preprocessing_for
from simsearch.encoders.registry import get_backbone
from simsearch.encoders.weight_files import Weights
from simsearch.encoders.weights import resolve_weights
from simsearch.features.space import FeatureSpace
from simsearch.images import perturbations
from simsearch.images.preprocessing import Preprocessing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedNetwork:
    """A backbone with all that its actors need; `weights` stays in Ray's object store."""

    space: FeatureSpace
    preprocessing: Preprocessing
    weights: ray.ObjectRef[Weights]
    weight_bytes: int
    precision_reason: str


def device_of(cluster_gpus: float) -> str:
    return "cuda" if cluster_gpus >= 1 else "cpu"


def prepare_networks(config: Config, device: str) -> list[PreparedNetwork]:
    """Resolve every backbone of the config, in its order.

    Raises UnknownNameError for a backbone that is not registered and WeightsError for weights that
    cannot be had.
    """
    backbones = [get_backbone(name) for name in config.extract.backbones]
    resolved = [_resolve(backbone, config) for backbone in backbones]
    preprocessings = [preprocessing_for(each, config.extract.preprocessing) for each in backbones]
    references = [ray.put(weights) for weights in resolved]
    # Where the actors will run, whose hardware may not be this process's; in one process, as
    # PyTorch takes longer to start than the trial.
    remote: Any = ray.remote
    choose = remote(_choose_precisions).options(
        num_cpus=0.25, num_gpus=0.25 if device == "cuda" else 0
    )
    setting = config.extract.precision
    chosen = [(setting, "as set")] * len(backbones)
    if setting == "auto":
        chosen = ray.get(choose.remote(backbones, references, preprocessings, device))
    prepared = []
    for backbone, weights, reference, preprocessing, (precision, reason) in zip(
        backbones, resolved, references, preprocessings, chosen, strict=True
    ):
        space = _space(config, backbone, weights, preprocessing, precision)
        log.info("%s: %s, %s (%s)", space.fingerprint, weights.source, precision, reason)
        size = sum(tensor.nbytes for tensor in weights.state.values())
        prepared.append(PreparedNetwork(space, preprocessing, reference, size, reason))
    return prepared


def _choose_precisions(
    backbones: Sequence[Backbone],
    weights: Sequence[ray.ObjectRef[Weights]],
    preprocessings: Sequence[Preprocessing],
    device: str,
) -> list[tuple[str, str]]:
    return [
        choose_precision(backbone, ray.get(reference), preprocessing, device=device)
        for backbone, reference, preprocessing in zip(
            backbones, weights, preprocessings, strict=True
        )
    ]


def _resolve(backbone: Backbone, config: Config) -> Weights:
    sources = config.extract.weights_for.get(backbone.name, config.extract.weights)
    weights = resolve_weights(backbone, sources, config.storage)
    if not weights.trained:
        log.warning(
            "%s: UNTRAINED weights (%s): its figures say nothing about the trained network",
            backbone.name,
            weights.source,
        )
    return weights


def _space(
    config: Config,
    backbone: Backbone,
    weights: Weights,
    preprocessing: Preprocessing,
    precision: str,
) -> FeatureSpace:
    reencoded = "re-encoded as JPEG" if config.perturbations.reencode_jpeg else "not re-encoded"
    return FeatureSpace(
        name=backbone.name,
        encoder=backbone.name,
        layer=backbone.layer,
        dimension=backbone.dimension,
        weights_source=weights.source,
        weights_digest=weights.digest,
        trained=weights.trained,
        preprocessing=preprocessing.describe(),
        mode=config.extract.mode,
        precision=precision,
        background=config.images.background,
        perturbations=f"definitions {perturbations.DEFINITIONS_VERSION}, {reencoded}, seed {config.seed}",
    )
