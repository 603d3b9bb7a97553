"""`decoding`: from a museum's scan to the pixels of its original and of its copies, on one core, decoded
at the size that is used and at full size."""

from __future__ import annotations

import io
import statistics
import time
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.images.preprocessing import STUDY_2018
from simsearch.images.suites import SUITES
from simsearch.settings.config import Config
from tests.benchmarks.measuring import Asked, Comparison, Result, alone, in_turn
from tests.benchmarks.pictures import SEED, fill

SIZE = (4000, 3000)  # 12 megapixels
TILES = (4, 3)
GRAIN = 6  # a scanner's noise, in levels of 255
QUALITY = 92
SCANS = 2
# Seconds that decoding a scan and making its copies may take.
TARGETS = {"study-2018": 0.25, "copy-detection": 0.9}


def measure(asked: Asked, scratch: Path) -> Result:
    fill(scratch / "pictures", TILES[0] * TILES[1], asked.paintings)
    scan = alone(make_scan, scratch / "pictures")
    side = Config().perturbations.side
    rows = []
    for suite, target in TARGETS.items():
        ours, whole = in_turn(
            partial(alone, seconds, scan, suite, side),
            partial(alone, seconds, scan, suite, None),
            asked.repeats,
        )
        name = f"12-megapixel JPEG and its {len(SUITES[suite])} copies of {suite}"
        rows += [
            Comparison(name, "at full size", "s", ours, whole),
            Comparison(name, "target in seconds", "s", ours, [target] * len(ours), "≤ 1"),
        ]
    return Result(
        {
            "scan": f"{TILES[0] * TILES[1]} pictures and grain, {SIZE[0]} × {SIZE[1]}, "
            f"{len(scan) / 2**20:.1f} MiB",
            "perturbations.side": side,
            "preprocessing": STUDY_2018.describe(),
        },
        rows,
        ["CPU seconds of one core; the median of two scans after a first."],
    )


def make_scan(folder: Path) -> bytes:
    """Pictures side by side with grain over them, as JPEG."""
    canvas = Image.new("RGB", SIZE)
    tile = (SIZE[0] // TILES[0], SIZE[1] // TILES[1])
    for number, path in enumerate(sorted(folder.iterdir())):
        row, column = divmod(number, TILES[0])
        with Image.open(path) as picture:
            canvas.paste(picture.convert("RGB").resize(tile), (column * tile[0], row * tile[1]))
    grain = np.random.default_rng(SEED).normal(0, GRAIN, (SIZE[1], SIZE[0], 3))
    pixels = np.asarray(canvas, np.int16) + grain.round().astype(np.int16)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def seconds(scan: bytes, suite: str, side: int | None) -> float:
    """CPU seconds from a file's bytes to the pixels of its original and of all its copies."""
    config = Config.model_validate({"perturbations": {"suite": suite, "side": side}})
    limits = config.images
    digest = content_hash(scan)

    def made() -> float:
        started = time.process_time()
        original = decode(  # in this process, whose CPU time is measured
            scan,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            background=limits.background,
            side=side,
        )
        STUDY_2018.pixels(original)
        for profile in SUITES[suite]:
            STUDY_2018.pixels(config.remake().copy(original, profile, digest))
        return time.process_time() - started

    made()  # imports what the operations need
    return statistics.median(made() for _ in range(SCANS))
