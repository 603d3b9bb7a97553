"""Checks of a run's encoders: whether their weights are available, their speed on this machine, and the
duration of the whole run."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from simsearch.catalog.readers.generated import image_bytes
from simsearch.encoders.backbones.learned import LearnedSpecification, encoder_of
from simsearch.encoders.encoder import Running, Specification, preprocessing_for
from simsearch.errors import SimsearchError
from simsearch.extraction.missing import count_images
from simsearch.extraction.placement import ACTOR_BYTES
from simsearch.images.bounded import decode_within
from simsearch.runs.checks.report import CheckLine, CheckReport
from simsearch.runtime.progress import duration
from simsearch.settings.sections.extraction import PUBLISHED

BATCH = 4
# Bytes on disk for each byte of a vector: Annoy's index holds the vectors again, and its trees.
INDEX_FACTOR = 2.3
POINTS_BYTES = 32 * 2**10  # of a picture's local features, at most
OTHER_SHARE = (
    1.3  # time of the whole run, with index, evaluation, maps and report, per time of embedding
)


@dataclass(frozen=True)
class EncoderCost:
    """The cost of one encoder on this machine: seconds per image, and the bytes of its weights."""

    name: str
    dimension: int
    seconds: float | None  # None: not measured
    bytes: int


def check_encoders(checked: CheckReport, seconds: float) -> None:
    """Add a line for every encoder and, if all can be used, the estimate of the whole run. After so many
    seconds no further encoder is measured."""
    config = checked.config
    deadline = time.monotonic() + seconds
    costs = []
    for name in config.extract.backbones:
        try:
            specification = encoder_of(config, name)
            preprocessing_for(specification, config.extract.preprocessing)
            costs.append(_check_encoder(checked, specification, deadline))
        except SimsearchError as error:
            checked.lines.append(CheckLine.of(name, error))
    if costs and len(costs) == len(config.extract.backbones):
        _estimate(checked, costs)


def _check_encoder(
    checked: CheckReport, specification: Specification, deadline: float
) -> EncoderCost:
    config, name = checked.config, specification.name
    if isinstance(specification, LearnedSpecification) and specification.training is None:
        epochs = specification.settings.epochs
        checked.add(name, "note", f"the run learns it from the collection, in {epochs} epochs")
        return EncoderCost(name, specification.dimension, None, 0)
    sources = config.extract.weights_for.get(name, config.extract.weights)
    place = specification.at_hand(sources, config.storage)
    usable = sources
    if place is None and PUBLISHED in sources:
        checked.add(
            name,
            "note",
            "its weights are not on this machine; the run downloads them",
            f"without a network: put {name}.safetensors into a folder, extract.weights=[FOLDER]",
        )
        usable = ("random:0",)  # as fast as trained ones, for the measurement
    late = time.monotonic() > deadline
    if late and place is not None:
        checked.add(name, "right", f"weights: {place} (not read, no time was left)")
    if late:
        return EncoderCost(name, specification.dimension, None, 0)
    weights = specification.weights(usable, config.storage)  # raises WeightsError for wrong ones
    if place is not None:
        trained = "" if weights.trained else ": UNTRAINED, its figures say nothing"
        checked.add(name, "right" if weights.trained else "note", f"weights: {place}{trained}")
    preprocessing = preprocessing_for(specification, config.extract.preprocessing)
    encoder = specification.load(weights, Running(preprocessing, batch_size=BATCH))
    pixels = np.stack([preprocessing.pixels(picture) for picture in _pictures(checked)])
    encoder(pixels[:1])  # the first pass is slow, as libraries set themselves up
    started = time.monotonic()
    encoder(pixels)
    seconds = (time.monotonic() - started) / len(pixels)
    return EncoderCost(name, specification.dimension, seconds, weights.size)


def _pictures(checked: CheckReport) -> list[Image.Image]:
    """Pictures of the collection, or drawn ones if none could be read."""
    pictures: list[Image.Image] = list(checked.sampled.pictures) if checked.sampled else []
    if not pictures:
        limits = checked.config.images.limits
        pictures = [decode_within(image_bytes(checked.config.seed, 0), limits)]
    return (pictures * BATCH)[:BATCH]


def _estimate(checked: CheckReport, costs: list[EncoderCost]) -> None:
    config = checked.config
    artworks = checked.table.num_rows if checked.table is not None else config.catalog.size
    if checked.table is None and config.catalog.source is not None:
        return
    prefix = ""
    if config.catalog.reader == "iiif":  # only a sample of the collection was read
        artworks, prefix = 1000, "for each 1,000 artworks: "
    images = count_images(config.perturbations, artworks)
    numbers = images * sum(encoder.dimension for encoder in costs)
    space = numbers * 4 * (1 + INDEX_FACTOR)
    if config.geometry.enabled:
        space += artworks * POINTS_BYTES
    speeds = [encoder.seconds for encoder in costs if encoder.seconds is not None]
    memory = ACTOR_BYTES + 2 * sum(encoder.bytes for encoder in costs)
    cpus = config.ray.cpus or os.cpu_count() or 1
    decoding = artworks * (checked.sampled.seconds_each if checked.sampled else 0.0) / cpus
    missing = [encoder.name for encoder in costs if encoder.seconds is None]
    took = duration(OTHER_SHARE * (images * sum(speeds) + decoding))
    without = f", without {', '.join(missing)}, not measured" if missing else ""
    where = " on this machine; a cluster is faster" if _cluster(checked) else " on this machine"
    if os.getloadavg()[0] > 1.5 * cpus:
        where += f", which is busy with other work (load {os.getloadavg()[0]:.0f} on {cpus} CPUs)"
    checked.add(
        "estimate",
        "note",
        f"{prefix}{images:,} images through {len(costs)} encoder(s): about {took}{without}{where}, from nothing",
    )
    checked.add(
        "estimate",
        "note",
        f"{prefix}about {memory / 2**30:.1f} GiB of memory for each embedding process, {_size(space)} of storage",
    )


def _size(count: float) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**29 else f"{count / 2**20:,.0f} MiB"


def _cluster(checked: CheckReport) -> bool:
    return checked.config.ray.cluster is not None
