"""A trial picture that every process embeds before it works. Its vectors show whether all compute alike.

Equal installations may still differ in a library that the system replaced, a faulty processor, or a
GPU's driver.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.limits import Limits
from simsearch.images.preprocessing import Preprocessing

SEED = 1841
WIDTH, HEIGHT = (
    600,
    450,
)  # more than networks are shown, so that the filter that scales it down counts
BLOCKS = 12
NOISE = 48  # half the range of the noise on the blocks, of 255

TOLERANCES = {"float32": 1e-4, "float16": 1e-3, "bfloat16": 1e-2}


@dataclass(frozen=True)
class Trial:
    """The picture as a file, and the run's limits of decoding."""

    picture: bytes
    limits: Limits

    @classmethod
    def of(cls, limits: Limits) -> Trial:
        """The same picture for every run: coloured blocks with noise, as a JPEG."""
        rng = np.random.default_rng(SEED)
        blocks = rng.integers(0, 256, (BLOCKS, BLOCKS, 3), dtype=np.uint8)
        whole = Image.fromarray(blocks).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
        noise = rng.integers(-NOISE, NOISE + 1, (HEIGHT, WIDTH, 3))
        pixels = np.clip(np.asarray(whole, dtype=np.int64) + noise, 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=90)
        return cls(file.getvalue(), limits)

    def pixels(self, preprocessing: Preprocessing) -> npt.NDArray[np.uint8]:
        """The picture as a batch of one [1, crop, crop, 3], decoded and preprocessed here."""
        limits = self.limits
        image = decode(
            self.picture,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            background=limits.background,
            side=limits.side,
        )
        return preprocessing.pixels(image)[None]


def distance(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> float:
    """1 − the cosine of two vectors [d]. 0 for equal vectors, also if their cosine is undefined."""
    if np.array_equal(left, right, equal_nan=True):
        return 0.0
    a, b = left.astype(np.float64), right.astype(np.float64)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 1.0 - float(a @ b) / norms if norms and np.isfinite(norms) else 1.0
