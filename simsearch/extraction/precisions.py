"""The choice of each network's precision: the one in which its space was begun, else one at which the
machine is fast.

Precisions round differently, so each has its own feature spaces. If the machine of the day decided, a
collection begun on one kind of CPU or GPU would be computed anew on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from simsearch.encoders.encoder import Specification
from simsearch.encoders.precision import choose_precision, fast_precisions, why_not
from simsearch.extraction.engine import IN_WORDS
from simsearch.extraction.missing import Missing
from simsearch.extraction.placement import Device
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.features.space import FeatureSpace
from simsearch.features.store import count_rows
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config
from simsearch.storage.storage import root_of

PRECISIONS = ("float32", "float16", "bfloat16")  # from the finest to the coarsest rounding


@dataclass(frozen=True)
class StoredPrecision:
    """A precision in which vectors of a network are stored, and their number."""

    precision: str
    vectors: int


@dataclass(frozen=True)
class PrecisionCandidate:
    """A network whose precision is to be chosen. `stored` are the precisions of its stored vectors, the
    preferred one first."""

    encoder: Specification
    weights: StoredWeights
    preprocessing: Preprocessing
    stored: tuple[StoredPrecision, ...]


@dataclass(frozen=True)
class PrecisionChoice:
    """A precision, and its reason in words. `anew` says that the stored vectors are in precisions that do
    not run here."""

    precision: str
    reason: str
    anew: bool = False


def find_stored(
    config: Config, catalog: pa.Table, space: FeatureSpace
) -> tuple[StoredPrecision, ...]:
    """The precisions in which vectors of a space are stored, for any precision and engine that `space`
    names.

    First comes the precision with most of the catalog's vectors. On a tie, the one with more vectors in
    all comes first, then the one that rounds least.
    """
    storage = root_of(config)
    spaces = [
        replace(space, precision=precision, engine=engine)
        for precision in PRECISIONS
        for engine in IN_WORDS
    ]
    rows = {candidate: count_rows(storage, candidate) for candidate in spaces}
    begun = [candidate for candidate in spaces if rows[candidate]]
    of_catalog = dict.fromkeys(begun, 0)
    if len({candidate.precision for candidate in begun}) > 1:
        counts = Missing.read(config, storage, catalog, begun).stored_counts.tolist()
        of_catalog = dict(zip(begun, counts, strict=True))
    best: dict[str, tuple[int, int]] = {}
    for candidate in begun:
        counted = of_catalog[candidate], rows[candidate]
        best[candidate.precision] = max(counted, best.get(candidate.precision, (0, 0)))
    ordered = sorted(best, key=lambda precision: best[precision], reverse=True)
    return tuple(StoredPrecision(precision, best[precision][1]) for precision in ordered)


def choose_precisions(
    candidates: Sequence[PrecisionCandidate], device: Device, setting: str
) -> list[PrecisionChoice]:
    """The precision of each network. Call it where the networks will run.

    An encoder with only one precision is tried in that, whatever `setting` says.
    """
    return [
        _choose(candidate, device)
        if setting == "auto" or candidate.encoder.precision
        else PrecisionChoice(setting, "as set")
        for candidate in candidates
    ]


def _choose(candidate: PrecisionCandidate, device: Device) -> PrecisionChoice:
    encoder, preprocessing = candidate.encoder, candidate.preprocessing
    refusals = []
    if encoder.precision is None:
        for stored in candidate.stored:
            words = f"{stored.precision} goes on with its {stored.vectors:,} vectors"
            load = candidate.weights.load
            fault = why_not(encoder, load, preprocessing, stored.precision, device=device)
            if fault is None:
                return PrecisionChoice(stored.precision, words + _slowly(stored.precision, device))
            refusals.append(f"{stored.precision} does not run here ({fault})")
    precision, reason = choose_precision(
        encoder, candidate.weights.load(), preprocessing, device=device
    )
    return PrecisionChoice(precision, "; ".join([*refusals, reason]), anew=bool(refusals))


def _slowly(precision: str, device: Device) -> str:
    if precision in ("float32", *fast_precisions(device)):
        return ""
    hardware = "GPU" if device == "cuda" else "CPU"
    return f", slowly on this {hardware} (extract.precision=float32 computes all anew)"
