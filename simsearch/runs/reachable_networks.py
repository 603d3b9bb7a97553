"""The networks whose trained weights are on this machine or can be downloaded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from simsearch.encoders.backbones.torchvision import published_weights
from simsearch.encoders.downloads import probe
from simsearch.encoders.registry import get_encoder
from simsearch.encoders.weight_files import NotHereError
from simsearch.errors import WeightsError
from simsearch.settings.sections.extraction import PUBLISHED, STUDY_BACKBONES
from simsearch.settings.sections.operation import StorageConfig

log = logging.getLogger(__name__)

PACKAGED = "efficientnet_lite0"  # fast, and its weights come with a package


def choose_networks(sources: Sequence[str], storage: StorageConfig) -> tuple[str, ...]:
    """The study's networks and a fast one, if `sources` have trained weights for them. The log names them,
    and says what the others need.

    Raises WeightsError if there are none.
    """
    trained = [source for source in sources if not source.startswith("random:")]
    places = {
        name: get_encoder(name, storage).at_hand(trained, storage)
        for name in (PACKAGED, *STUDY_BACKBONES)
    }
    absent = [name for name in STUDY_BACKBONES if places[name] is None]
    reachable = _find_reachable(absent) if PUBLISHED in trained else []
    missing = [name for name in absent if name not in reachable]
    for name, place in places.items():
        if place is not None:
            log.info("network %s: weights at hand (%s)", name, place)
        elif name in reachable:
            log.info("network %s: weights are downloaded, %s MB", name, _megabytes(name))
    files = ", ".join(f"{name}.safetensors or .pth" for name in missing)
    chosen = tuple(name for name, place in places.items() if place or name in reachable)
    if not chosen:
        raise WeightsError(
            f"no network has trained weights here, and none can be downloaded; put {files} into a "
            "folder and add extract.weights=[FOLDER], or run untrained with "
            f"extract.backbones=[{PACKAGED}] extract.weights=['random:0']"
        )
    if missing:
        log.warning(
            "without %s of the study: their weights are not here and cannot be downloaded; put %s "
            "into a folder and add extract.weights=[imagenet,FOLDER]",
            ", ".join(missing),
            files,
        )
    return chosen


def _find_reachable(names: Sequence[str]) -> list[str]:
    """The networks whose publishers answer now. Asking takes a few seconds at most."""
    if not names:
        return []
    with ThreadPoolExecutor(len(names)) as pool:
        return [
            name for name, answers in zip(names, pool.map(_answers, names), strict=True) if answers
        ]


def _answers(name: str) -> bool:
    try:
        probe(published_weights(name).url)
    except NotHereError:
        return False
    return True


def _megabytes(name: str) -> str:
    return f"{published_weights(name).meta['_file_size']:,.0f}"
