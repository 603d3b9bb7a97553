"""What a user of Ray Data would write instead, as its guides to images and to batch inference have it:
read_images, a map that preprocesses each row, map_batches with a class that holds the network, write_parquet.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from torchvision import transforms

from simsearch.images.preprocessing import Preprocessing
from tests.benchmarks.extracting import plain_network

BATCH_SIZE = 16  # as ours on a CPU

Row = dict[str, Any]


class Embedder:
    """The network, in a process of its own."""

    def __init__(self, network: str) -> None:
        self.model = plain_network(network).eval()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        with torch.inference_mode():
            vectors = self.model(torch.from_numpy(batch["pixels"])).flatten(1).numpy()
        # `done` is no part of the guides' pipeline: it tells the steady rate.
        done = np.full(len(vectors), time.monotonic())
        return {"path": batch["path"], "vector": vectors, "done": done}


def shown(preprocessing: Preprocessing) -> Callable[[Row], Row]:
    """The network's own transforms of one row."""
    transform = transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.Resize(
                preprocessing.resize, transforms.InterpolationMode(preprocessing.interpolation)
            ),
            transforms.CenterCrop(preprocessing.crop),
            transforms.ToTensor(),
            transforms.Normalize(preprocessing.mean, preprocessing.std),
        ]
    )

    def preprocess(row: Row) -> Row:
        return {"path": row["path"], "pixels": transform(row["image"]).numpy()}

    return preprocess


def actors() -> int:
    """One for each core but one. Each actor takes one core, Ray's default: with an actor for every core, none
    would be left for reading, and the pipeline would wait for ever."""
    return max(1, (os.cpu_count() or 1) - 1)


def piped(pictures: Path, network: str, preprocessing: Preprocessing, written: Path) -> None:
    """Run it over a folder. Call it in a process of its own."""
    ray.init()
    (
        ray.data.read_images(str(pictures), mode="RGB", include_paths=True)
        .map(shown(preprocessing))
        .map_batches(
            Embedder,
            fn_constructor_args=(network,),
            compute=ray.data.ActorPoolStrategy(size=actors()),
            batch_size=BATCH_SIZE,
        )
        .write_parquet(str(written))
    )
    ray.shutdown()


def collected(written: Path, vectors: Path) -> float:
    """Images per second from the first batch's vectors to the last's. Writes all vectors and file names into
    an .npz file. Call it in a process of its own."""
    rows = ray.data.read_parquet(str(written)).to_pandas()
    ray.shutdown()
    names = [Path(path).name for path in rows["path"]]
    np.savez(vectors, names=names, vectors=np.stack(list(rows["vector"])))
    moments, counts = np.unique(rows["done"], return_counts=True)
    return float(counts[1:].sum() / (moments[-1] - moments[0]))
