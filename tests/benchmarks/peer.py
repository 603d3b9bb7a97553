"""`peer`: what others would encode with: imagededup's loop, and a pipeline as Ray Data's guides have it;
same pictures, same network, same weights."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.features import store as feature_store
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.snapshot import pending_snapshot
from simsearch.storage.storage import root_of
from tests.benchmarks import peers
from tests.benchmarks.extracting import Extracted, extracted, settings, whole_network
from tests.benchmarks.measuring import Asked, Comparison, Result, all_in_turn, alone
from tests.benchmarks.pictures import fill
from tests.benchmarks.ray_data_pipeline import BATCH_SIZE, actors, collected, piped

LIGHT, LIGHT_PICTURES = "squeezenet1_1", 2000
# The network of Ray's own example; enough pictures for an actor on each of two cores.
HEAVY, HEAVY_PICTURES = "resnet152", 320


@dataclass(frozen=True)
class Turn:
    """One encoding of a folder: images per second in steady state and with the process's start; of
    ours, the run."""

    rate: float
    whole: float
    run: Extracted | None = None


def measure(asked: Asked, scratch: Path) -> Result:
    rows, details, shown = [], {}, {}
    cosines: dict[str, float] = {}
    missing: list[str] = []
    for network, count in ((LIGHT, LIGHT_PICTURES), (HEAVY, HEAVY_PICTURES)):
        place = scratch / network
        shown[network] = fill(place / "pictures", asked.images or count, asked.paintings)
        config = settings(
            place / "pictures", place / "root", [network], "perturbations.profiles=[]"
        )
        ways: dict[str, Callable[[], Turn]] = {
            "ours": partial(_ours, config),
            "Ray Data": _ray_data(place, network),
        }
        if network == LIGHT:
            try:
                ways["imagededup"] = _imagededup(place)
            except peers.PeerError as error:
                missing.append(f"imagededup was not measured: {error}.")
        turns = all_in_turn(ways, asked.repeats)
        details[network] = {name: [asdict(turn) for turn in taken] for name, taken in turns.items()}
        ours = turns.pop("ours")
        for name, theirs in turns.items():
            rows += compared(network, name, ours, theirs)
            cosines[f"{network} by {name}"] = alone(agreement, config, place / f"{name}.npz")
    smallest = ", ".join(f"{name} {cosine:.4f}" for name, cosine in cosines.items())
    return Result(
        {
            "pictures": ", ".join(f"{words} for {name}" for name, words in shown.items()),
            "imagededup": f"{peers.IMAGEDEDUP}, its batch size of 64",
            "Ray Data": f"as its guides have it, {actors()} × 1 core to preprocess and embed (Ray joins the two) and one core to read, batch size {BATCH_SIZE}",
        },
        rows,
        [
            f"All give the same vectors, smallest cosine to ours: {smallest}. Steady state begins after the first "
            "batch, imagededup's with its DataLoader; with start-up: processes from their start to their end.",
            *missing,
        ],
        details,
    )


def compared(
    network: str, name: str, ours: Sequence[Turn], theirs: Sequence[Turn]
) -> list[Comparison]:
    return [
        Comparison(
            f"{network}, originals to vectors, {words}", name, "images/s",
            [getattr(turn, rate) for turn in ours], [getattr(turn, rate) for turn in theirs],
        )
        for rate, words in (("rate", "steady state"), ("whole", "with start-up"))
    ]  # fmt: skip


def _ours(config: Config) -> Turn:
    run, seconds = peers.timed(lambda: alone(extracted, config))
    return Turn(run.rate, run.vectors / seconds, run)


def _ray_data(place: Path, network: str) -> Callable[[], Turn]:
    preprocessing = get_encoder(network, StorageConfig()).preprocessing
    turns = itertools.count()

    def encode() -> Turn:
        written = place / f"parquet-{next(turns)}"
        _, seconds = peers.timed(
            lambda: alone(piped, place / "pictures", network, preprocessing, written)
        )
        rate = alone(collected, written, place / "Ray Data.npz")
        return Turn(rate, len(list((place / "pictures").iterdir())) / seconds)

    return encode


def _imagededup(place: Path) -> Callable[[], Turn]:
    """Its CNN class over SqueezeNet, in its own environment; vectors go to imagededup.npz."""
    python = peers.imagededup()
    specification = get_encoder(LIGHT, StorageConfig())
    assert isinstance(specification, NetworkSpecification)
    torch.save(whole_network(specification).state_dict(), place / "weights.pth")
    task = {
        "task": "encode",
        "pictures": str(place / "pictures"),
        "weights": str(place / "weights.pth"),
        "network": LIGHT,
        "preprocessing": asdict(specification.preprocessing),
        "workers": os.cpu_count(),
        "out": str(place / "imagededup.npz"),
    }

    def encode() -> Turn:
        answer, seconds = peers.timed(lambda: peers.run(peers.imagededup_command(python, task)))
        rate = json.loads(answer.splitlines()[-1])["rate"]
        return Turn(rate, len(list((place / "pictures").iterdir())) / seconds)

    return encode


def agreement(config: Config, path: Path) -> float:
    """The smallest cosine between our vector of a picture and the peer's."""
    snapshot = pending_snapshot(root_of(config))
    images = snapshot.images()
    ours = feature_store.read_vectors(snapshot.storage, snapshot.plan().spaces[0], images)
    peer: Any = np.load(path)
    names = {Path(name).stem: row for row, name in enumerate(peer["names"])}
    theirs = peer["vectors"][[names[artwork] for artwork in images["artwork_id"].to_pylist()]]
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float((np.einsum("id,id->i", ours, theirs) / lengths).min())
