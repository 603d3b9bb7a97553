"""Prepare the networks of a run, once: find weights, choose precision and engine, name the space."""

from __future__ import annotations

import functools
import logging
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pyarrow as pa
import ray

from simsearch.encoders.backbones.learned import encoder_of
from simsearch.encoders.converted import ConvertedNetwork
from simsearch.encoders.encoder import (
    Loader,
    Specification,
    Weights,
    check_studied,
    preprocessing_for,
)
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.precision import has_tiles
from simsearch.extraction.conversions import Conversions
from simsearch.extraction.engine import IN_WORDS, choose_engine, runs_faster_converted
from simsearch.extraction.missing import count_images
from simsearch.extraction.placement import Device
from simsearch.extraction.precisions import (
    PrecisionCandidate,
    PrecisionChoice,
    StoredPrecision,
    choose_precisions,
    find_stored,
)
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.features.space import ONNX_RUNTIME, PYTORCH, FeatureSpace
from simsearch.features.store import count_rows
from simsearch.images.preprocessing import Preprocessing
from simsearch.runtime.resources import task_options
from simsearch.runtime.watchdog import wait_for
from simsearch.settings.config import Config
from simsearch.settings.extras import install_line, is_installed
from simsearch.settings.sections.extraction import ExtractConfig, safe_name
from simsearch.settings.sections.operation import RayConfig
from simsearch.storage.storage import root_of

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class PreparedNetwork:
    """An encoder with everything that its actors need. `encoder` loads the `weights`."""

    space: FeatureSpace
    encoder: Loader
    preprocessing: Preprocessing
    weights: StoredWeights
    precision_reason: str


def prepare_networks(config: Config, device: Device, catalog: pa.Table) -> list[PreparedNetwork]:
    """Resolve every encoder of the config, in its order, for the artworks of a catalog.

    Raises UnknownNameError for an encoder that is not registered, WeightsError for weights that are not
    available, and UsageError for an encoder that the study's mode or preprocessing does not fit.
    """
    encoders = [encoder_of(config, name) for name in config.extract.backbones]
    preprocessings = [_preprocessing(encoder, config.extract) for encoder in encoders]
    resolved = [_resolve(encoder, config) for encoder in encoders]
    stored = [StoredWeights.store(root_of(config), weights) for weights in resolved]
    # Their precisions are not chosen yet.
    spaces = [
        _space(config, encoder, weights.described, preprocessing, config.extract.precision)
        for encoder, weights, preprocessing in zip(encoders, stored, preprocessings, strict=True)
    ]
    candidates = [
        PrecisionCandidate(
            encoder, weights, preprocessing, _find_stored_precisions(config, catalog, space)
        )
        for encoder, weights, preprocessing, space in zip(
            encoders, stored, preprocessings, spaces, strict=True
        )
    ]
    choices = _choose_precisions(config, candidates, device)
    prepared = [
        PreparedNetwork(
            replace(space, precision=choice.precision),
            candidate.encoder,
            candidate.preprocessing,
            candidate.weights,
            choice.reason,
        )
        for space, candidate, choice in zip(spaces, candidates, choices, strict=True)
    ]
    images = count_images(config.perturbations, catalog.num_rows)
    prepared = _choose_engines(config, prepared, device, images)
    for network in prepared:
        space, reason = network.space, network.precision_reason
        log.info(
            "%s: %s, %s (%s)", space.fingerprint, space.weights_source, space.precision, reason
        )
    return prepared


def _find_stored_precisions(
    config: Config, catalog: pa.Table, space: FeatureSpace
) -> tuple[StoredPrecision, ...]:
    """The precisions to go on with. Empty if the setting names a precision."""
    return find_stored(config, catalog, space) if space.precision == "auto" else ()


def _choose_precisions(
    config: Config, candidates: Sequence[PrecisionCandidate], device: Device
) -> list[PrecisionChoice]:
    setting = config.extract.precision
    choose = functools.partial(choose_precisions, candidates, device, setting)
    if setting != "auto" and not any(candidate.encoder.precision for candidate in candidates):
        return choose()
    # All in one process: PyTorch takes longer to start than the trial.
    choices = _call_at_actors(config, "choosing precisions", choose, device)
    for candidate, choice in zip(candidates, choices, strict=True):
        if choice.anew:
            log.warning(
                "%s: all vectors are computed anew in %s: %s",
                candidate.encoder.name,
                choice.precision,
                choice.reason,
            )
    return choices


def _preprocessing(encoder: Specification, extract: ExtractConfig) -> Preprocessing:
    if extract.mode == "study-2018":
        check_studied(encoder, "extract.mode")
    return preprocessing_for(encoder, extract.preprocessing)


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
    plain = [space for space in config.extract.spaces if space.backbone and space.head is None]
    named = {space.backbone: space.name for space in plain}
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
        licence=encoder.licence if weights.trained else None,
    )


def _choose_engines(
    config: Config, prepared: Sequence[PreparedNetwork], device: Device, images: int
) -> list[PreparedNetwork]:
    """The networks with their engines. A network is converted if its engine is ONNX Runtime."""
    extract = config.extract
    if extract.mode != "eval" or extract.engine != "auto":
        return list(prepared)
    if device != "cpu":
        why = "which computes on CPUs alone (extract.device=cpu goes on with them)"
        return [_by_pytorch(config, network, why) for network in prepared]
    if not is_installed("onnx"):
        log.info("extract: no ONNX Runtime here, so PyTorch runs all; %s", install_line("onnx"))
        why = f"which is not installed here ({install_line('onnx')})"
        return [_by_pytorch(config, network, why) for network in prepared]

    @functools.cache
    def faster() -> bool:
        log.info("extract: choosing engines")
        return _call_at_actors(config, "choosing engines", _runs_faster)

    return [_choose_network_engine(config, network, images, faster) for network in prepared]


def _by_pytorch(config: Config, network: PreparedNetwork, why: str) -> PreparedNetwork:
    """The network, run by PyTorch: a warning says so where it was begun by ONNX Runtime, which cannot go on
    for the reason `why`."""
    begun, other = (
        count_rows(root_of(config), replace(network.space, engine=engine))
        for engine in (ONNX_RUNTIME, PYTORCH)
    )
    if begun <= other:
        return network
    reason = f"PyTorch computes all vectors anew: {begun:,} stored ones are of ONNX Runtime, {why}"
    log.warning("%s: %s", network.space.encoder, reason)
    return replace(network, precision_reason=reason)


def _choose_network_engine(
    config: Config, network: PreparedNetwork, images: int, faster: Callable[[], bool]
) -> PreparedNetwork:
    encoder, space = network.encoder, network.space
    if not isinstance(encoder, NetworkSpecification) or not encoder.convertible:
        return network
    if space.precision != "float32":
        return network
    conversions = Conversions(encoder, network.weights, network.preprocessing)
    conversion = conversions.read()
    spaces = {engine: replace(space, engine=engine) for engine in IN_WORDS}
    choose = functools.partial(
        choose_engine,
        wanted=images,
        held={engine: count_rows(root_of(config), spaces[engine]) for engine in IN_WORDS},
        converted=conversion is not None,
    )
    engine, reason = choose(faster=True)
    if engine == ONNX_RUNTIME:  # only then is the speed needed; measuring it takes seconds
        engine, reason = choose(faster=faster())
    if engine == ONNX_RUNTIME:
        if conversion is None:
            log.info("extract: converting a network")
            conversion = _call_as_task(config.ray, "converting a network", conversions.make)
        if conversion.model is not None:
            return PreparedNetwork(
                spaces[engine],
                ConvertedNetwork(encoder.name, encoder.dimension),
                network.preprocessing,
                conversion.model,
                f"{network.precision_reason}; {reason}, {conversion.note}",
            )
        log.warning("%s: PyTorch runs it: %s", encoder.name, conversion.note)
        reason = f"PyTorch, as {conversion.note}"
    return replace(network, precision_reason=f"{network.precision_reason}; {reason}")


def _call_at_actors(
    config: Config, task: str, function: Callable[[], T], device: Device = "cpu"
) -> T:
    """The result of a function, called where actors will run: their hardware may differ from this
    process's. The function runs on a node, or in this process if that is the same place, which saves a
    start."""
    if device == "cpu" and config.ray.cluster is None:
        return function()
    return _call_as_task(config.ray, task, function, device)


def _call_as_task(
    config: RayConfig, task: str, function: Callable[[], T], device: Device = "cpu"
) -> T:
    remote: Any = ray.remote
    options = task_options("precision", gpu=device == "cuda")
    reference = remote(_call).options(**options).remote(function)
    answer: T = wait_for(f"extract: {task}", config, reference)
    return answer


def _call(function: Callable[[], T]) -> T:
    return function()


def _runs_faster() -> bool:
    return runs_faster_converted(platform.machine(), tiles=has_tiles())
