"""`peer`: imagededup's CNN encoding against ours: same pictures, same network, same weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from simsearch.config import Config
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.features import store as feature_store
from simsearch.sections.operation import StorageConfig
from simsearch.snapshots.snapshot import pending_snapshot
from simsearch.storage.storage import root_of
from tests.benchmarks.extracting import extracted, settings, whole_network
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn
from tests.benchmarks.pictures import fill

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = REPOSITORY / ".bench" / "peer"
PACKAGE = "imagededup==0.3.3.post2"
NETWORK = "squeezenet1_1"
PICTURES = 2000


def measure(asked: Asked, scratch: Path) -> Result:
    shown = fill(scratch / "pictures", asked.images or PICTURES, asked.paintings)
    python = environment()
    specification = get_encoder(NETWORK, StorageConfig())
    assert isinstance(specification, NetworkSpecification)
    torch.save(whole_network(specification).state_dict(), scratch / "weights.pth")
    config = settings(
        scratch / "pictures", scratch / "root", [NETWORK], "perturbations.profiles=[]"
    )
    ours, peer = in_turn(
        lambda: alone(extracted, config), lambda: encode(python, scratch), asked.repeats
    )
    rates = [run.rate for run in ours]
    whole = [run.vectors / run.seconds for run in ours]
    cosine = alone(_agreement, config, scratch / "vectors.npz")
    return Result(
        {"pictures": shown, "network": NETWORK, "peer": f"{PACKAGE}, its batch size of 64"},
        [
            Comparison(
                "originals to vectors, steady state", "imagededup's loop, loaded",
                "images/s", rates, [rates["rate"] for rates in peer],
            ),
            Comparison(
                "the same with start-up", "imagededup with its imports",
                "images/s", whole, [rates["rate_with_start"] for rates in peer],
            ),
        ],
        [
            f"Both give the same vectors: smallest cosine {cosine:.4f}. imagededup's loop has the start of its "
            "DataLoader in it, ours begins after the first batch."
        ],
        {"peer": peer, "runs": [asdict(run) for run in ours]},
    )  # fmt: skip


def environment() -> Path:
    """The interpreter of an environment with the peer, made when it is not there.

    With our versions of PyTorch and Pillow, so that only the code around them differs.
    """
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "ready").exists():
        uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
        pins = [f"{name}=={version(name)}" for name in ("torch", "torchvision", "pillow", "numpy")]
        _call(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, ENVIRONMENT)
        _call(uv, "pip", "install", "--quiet", "--python", python, PACKAGE, *pins)
        (ENVIRONMENT / "ready").touch()
    return python


def encode(python: Path, scratch: Path) -> dict[str, float]:
    """Run the peer once over the pictures; its vectors go to vectors.npz."""
    preset = get_encoder(NETWORK, StorageConfig()).preprocessing
    asked = {
        "pictures": str(scratch / "pictures"),
        "weights": str(scratch / "weights.pth"),
        "network": NETWORK,
        "resize": preset.resize,
        "crop": preset.crop,
        "mean": preset.mean,
        "std": preset.std,
        "workers": os.cpu_count(),
        "out": str(scratch / "vectors.npz"),
    }
    script = Path(__file__).with_name("imagededup_encode.py")
    answer = _call(python, script, json.dumps(asked))
    rates: dict[str, float] = json.loads(answer.splitlines()[-1])
    return rates


def _agreement(config: Config, path: Path) -> float:
    """The smallest cosine between our vector of a picture and the peer's."""
    snapshot = pending_snapshot(root_of(config))
    images = snapshot.images()
    ours = feature_store.read_vectors(snapshot.storage, snapshot.plan().spaces[0], images)
    peer: Any = np.load(path)
    names = {Path(name).stem: row for row, name in enumerate(peer["names"])}
    theirs = peer["vectors"][
        [names[Path(artwork_id).stem] for artwork_id in images["artwork_id"].to_pylist()]
    ]
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float((np.einsum("id,id->i", ours, theirs) / lengths).min())


def _call(*command: str | Path) -> str:
    """Standard output. Raises RuntimeError with the end of what the command said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout
