"""`study`: the study's way against ours: a DataLoader, float32, one space a pass."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from simsearch.encoders.precision import has_tiles
from simsearch.images import perturbations
from simsearch.images.suites import STUDY_PROFILES
from tests.benchmarks.extracting import extracted, plain_network, settings
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn, together
from tests.benchmarks.pictures import fill

ORIGINALS = 120
BATCH_SIZE = 16


class Variants(Dataset[torch.Tensor]):
    """Every picture as it is and in the study's five copies, each decoded anew."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._wanted = [(path, name) for path in files for name in (None, *STUDY_PROFILES)]
        self._transform: Callable[[Any], torch.Tensor] = transforms.Compose(
            [transforms.Resize(224), transforms.CenterCrop(224), transforms.ToTensor()]
        )

    def __len__(self) -> int:
        return len(self._wanted)

    def __getitem__(self, number: int) -> torch.Tensor:
        path, name = self._wanted[number]
        image = Image.open(path).convert("RGB")
        if name is not None:
            profile = perturbations.get_profile(name)
            image = perturbations.perturb(
                image, profile, reencode_jpeg=True, seed=0, content_hash=""
            )
        return self._transform(image)


def measure(asked: Asked, scratch: Path) -> Result:
    shown = fill(scratch / "pictures", asked.images or ORIGINALS, asked.paintings)
    config = settings(scratch / "pictures", scratch / "root", asked.networks)
    ours, study = in_turn(
        lambda: alone(extracted, config),
        lambda: {name: alone(study_pass, scratch / "pictures", name) for name in asked.networks},
        asked.repeats,
    )
    row = Comparison(
        "whole pipeline, steady state", "the study's way", "vectors/s",
        [run.rate for run in ours],
        [together({name: network["rate"] for name, network in networks.items()}) for networks in study],
        f"≥ {3 if has_tiles() else 2}",
    )  # fmt: skip
    starts = [sum(network["startup"] for network in networks.values()) for networks in study]
    return Result(
        {
            "pictures": f"{shown} × {1 + len(STUDY_PROFILES)} variants",
            "networks": ", ".join(asked.networks),
            "the study's way": f"DataLoader with {os.cpu_count()} workers, batch size {BATCH_SIZE}, "
            "float32, standard memory layout, one space a pass, each variant decoded anew; after its first batch",
        },
        [row],
        [
            f"Ours in {', '.join(sorted(set(ours[-1].precisions.values())))}. Start-up, left out above: ours "
            f"{statistics.median(run.startup for run in ours):.0f} s, the study's {statistics.median(starts):.0f} s "
            "over all passes."
        ],
        {"study": study, "runs": [asdict(run) for run in ours]},
    )


def study_pass(pictures: Path, name: str) -> dict[str, float]:
    """One pass: images per second from its first batch to its last, and seconds to that first batch."""
    begun = time.perf_counter()
    module = plain_network(name).eval()
    workers = os.cpu_count() or 1
    loader = DataLoader(
        Variants(sorted(pictures.iterdir())), batch_size=BATCH_SIZE, num_workers=workers
    )
    started, images = 0.0, 0
    with torch.no_grad():
        for batch in loader:
            module(batch)
            if not started:
                started = time.perf_counter()
            else:
                images += len(batch)
    return {"rate": images / (time.perf_counter() - started), "startup": started - begun}
