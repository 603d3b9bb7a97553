"""Findings about the explorer's gallery: near-duplicates, a placeholder, a learned space."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import safetensors.numpy
from PIL import Image

from simsearch import schemas
from simsearch.encoders.trained import EXAMPLES, Training, store
from simsearch.extraction.rejects import placeholder_row
from simsearch.images.identity import content_hash
from simsearch.neighbours.confusers import CONFUSERS
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage

HEAD = "mender"
PAIRS = ((4, 5, 40), (5, 6, 20), (8, 9, 85))  # artworks by number, points in common
STANDING_FOR = 21  # artworks whose only picture is the placeholder
# Artworks by number, their relation, points in common, and the part's box in both: one part in three works,
# and another part of one of these.
BOX, ELSEWHERE = [8.0, 8.0, 64.0, 48.0], [100.0, 100.0, 40.0, 40.0]
DETAILS = (
    (10, 11, "shared detail", 30, BOX, BOX),
    (11, 12, "shared detail", 25, [10.0, 10.0, 64.0, 48.0], BOX),
    (11, 13, "one frame", 28, ELSEWHERE, ELSEWHERE),
)
LABELLED = (14, 15, 16, 17, 18)  # artworks whose pictures have a label at one place
LOSSES = (4.0, 2.0, 1.0, 1.5)


def near_duplicates(catalog: pa.Table) -> pa.Table:
    ids = catalog["artwork_id"].to_pylist()
    rows = [
        {
            "artwork_id": ids[first], "other_id": ids[second], "relation": "same picture",
            "inliers": inliers, "false_alarms": 10.0**-inliers, "mirrored": False,
            "share": 1.0, "other_share": 1.0, "transform": np.eye(3).ravel().tolist(),
        }
        for first, second, inliers in PAIRS
        if second < len(ids)
    ]  # fmt: skip
    rows += [
        {
            "artwork_id": ids[first], "other_id": ids[second], "relation": relation,
            "inliers": inliers, "false_alarms": 10.0**-inliers, "mirrored": False, "share": 0.1,
            "other_share": 0.1, "box": box, "other_box": other_box,
            "transform": np.eye(3).ravel().tolist(),
        }
        for first, second, relation, inliers, box, other_box in DETAILS
        if second < len(ids)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)


def labels(catalog: pa.Table) -> pa.Table:
    ids = catalog["artwork_id"].to_pylist()
    rows = [
        {"confuser": 0, "artwork_id": ids[number], "box": BOX}
        for number in LABELLED
        if number < len(ids)
    ]
    return pa.Table.from_pylist(rows, schema=CONFUSERS)


def rejects_of(storage: Storage, folder: Path) -> pa.Table:
    """A broken picture, and one that stands for many artworks."""
    path = folder / "coming-soon.png"
    Image.new("RGB", (80, 60), "silver").save(path)
    uri = path.as_uri()
    read = {"image_uri": uri, "etag": None, "content_hash": content_hash(path.read_bytes())}
    write_part(storage, "sources", [read], schemas.SOURCES)
    broken = {
        "artwork_id": "broken", "image_uri": "gone.jpg", "stage": "decode",
        "reason": "not an image", "detail": "<i>text</i>", "etag": None,
    }  # fmt: skip
    standing = [
        placeholder_row({"artwork_id": f"blank/{n}", "image_uri": uri, "etag": None}, STANDING_FOR)
        for n in range(STANDING_FOR)
    ]
    return pa.Table.from_pylist([broken, *standing], schema=schemas.REJECTS)


def examples() -> dict[str, np.ndarray]:
    random = np.random.default_rng(8)
    sizes = {"originals": 3, "made": 3, "copies": 3, "mended": 3, "between": 5}
    return {
        name: random.integers(0, 255, (count, 16, 16, 3), np.uint8) for name, count in sizes.items()
    }


def teach(storage: Storage, name: str) -> str:
    """Store what a head learned, with pictures; returns the digest of its weights."""
    weights = b"weights of " + name.encode()
    training = Training(
        name=name, settings={"of": {"kind": "denoising"}}, fitted_for="f", dimension=24,
        profiles=("crop-4",), artworks=40, images=80, held_out={"measured here": 12},
        losses=tuple({"epoch": n, "loss": loss} for n, loss in enumerate(LOSSES, start=1)),
        seconds=61, device="cpu", data_sha256="d",
        weights_sha256=hashlib.sha256(weights).hexdigest(), code_version="0",
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    store(storage, training, weights, schemas.LEARNED_FROM.empty_table())
    storage.write_bytes(f"{training.folder}/{EXAMPLES}", safetensors.numpy.save(examples()))
    return training.weights_sha256
