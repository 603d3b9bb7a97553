"""The number format in which a network runs. It is faster than float32 only if the vectors stay the same
within a bound."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from simsearch.encoders.encoder import Running, Specification, Weights
from simsearch.images.preprocessing import Preprocessing

MIN_COSINE = 0.999
TRIAL_IMAGES = 8


def choose_precision(
    encoder: Specification, weights: Weights, preprocessing: Preprocessing, *, device: str
) -> tuple[str, str]:
    """The precision in which to run, and the reason in words.

    It is half precision if the hardware is fast at it, and if every vector of seeded trial images stays
    within cosine 0.999 of its float32 vector. Else it is float32. An encoder with a single precision is
    also tried on those images, so that a failure is reported before anything starts.
    """
    if encoder.precision is not None:
        running = Running(preprocessing, encoder.precision, device=device, batch_size=TRIAL_IMAGES)
        encoder.load(weights, running)(trial_pixels(preprocessing.crop))
        return encoder.precision, "it runs in no other"
    candidates = fast_precisions(device)
    if not candidates:
        return "float32", f"this {'GPU' if device == 'cuda' else 'CPU'} is fast at nothing shorter"
    pixels = trial_pixels(preprocessing.crop)

    def trial(precision: str) -> npt.NDArray[np.float64]:
        running = Running(preprocessing, precision, device=device, batch_size=TRIAL_IMAGES)
        return encoder.load(weights, running)(pixels).astype(np.float64)

    reference = trial("float32")
    strayed: list[str] = []
    for candidate in candidates:
        worst = worst_cosine(reference, trial(candidate))
        if worst >= MIN_COSINE:
            reasons = [*strayed, f"fast here; trial vectors within cosine {worst:.5f} of float32"]
            return candidate, "; ".join(reasons)
        strayed.append(f"{candidate} strays: cosine {worst:.5f} of float32, allowed {MIN_COSINE}")
    return "float32", "; ".join(strayed)


def why_not(
    encoder: Specification,
    load: Callable[[], Weights],
    preprocessing: Preprocessing,
    precision: str,
    *,
    device: str,
) -> str | None:
    """Why this machine cannot run a network in `precision`, in words. None if it can.

    float32 runs everywhere, and so does a precision at which the hardware is fast. Another precision is
    tried on one image, because PyTorch emulates most: on one AVX2 core ResNet18 made 16 vectors a second
    in float32, 2.1 in bfloat16 and 2.4 in float16. `load` is only called for such a trial.
    """
    if precision == "float32" or precision in fast_precisions(device):
        return None
    running = Running(preprocessing, precision, device=device)
    try:
        vectors = encoder.load(load(), running)(trial_pixels(preprocessing.crop)[:1])
    except torch.OutOfMemoryError:
        raise  # another process may have the memory now
    except RuntimeError as error:  # an operator that has no kernel for these numbers
        return " ".join(str(error).split())[:200]
    return None if np.isfinite(vectors).all() else "its vectors are not finite"


def worst_cosine(vectors: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """The smallest cosine between a row of `vectors` [n, d] and the same row of `other` [n, d]. 0 if any
    row is zero or not finite."""
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(other, axis=1)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        return 0.0
    return float(((vectors * other).sum(axis=1) / norms).min())


def fast_precisions(device: str) -> tuple[str, ...]:
    """The precisions that the hardware multiplies fastest, the closest to float32 first: half precision on
    GPUs with tensor cores, bfloat16 on CPUs with matrix tiles.

    They follow from the capabilities that the hardware reports, not from a measurement, so that the same
    machine always gives the same precisions. AVX-512's bfloat16 instructions alone do not count: without
    tiles, VGG16 ran at 8.0 images/s in float32 and 5.1 in bfloat16, ResNet152 at 9.4 and 6.6.
    """
    if device == "cuda":
        major, _ = torch.cuda.get_device_capability()
        if major < 7:
            return ()
        # float16 keeps 11 bits and ends at 65,504, which ResNet152 with random weights exceeds. bfloat16
        # keeps 8 bits and reaches as far as float32.
        return ("float16", "bfloat16") if major >= 8 else ("float16",)
    return ("bfloat16",) if has_tiles() else ()


def has_tiles() -> bool:
    """Whether this CPU multiplies matrices of bfloat16 in tiles (AMX), and oneDNN may use them."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16")) and _may_use_tiles()


def _may_use_tiles() -> bool:
    """Whether ONEDNN_MAX_CPU_ISA leaves oneDNN the matrix tiles."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    return limit in ("", "ALL", "DEFAULT") or "AMX" in limit


def trial_pixels(crop: int) -> npt.NDArray[np.uint8]:
    """Seeded images [TRIAL_IMAGES, crop, crop, 3] uint8 with structure from coarse to fine. A quarter each
    is plain, grey, dark and of low contrast.

    Rounding hurts the last three kinds more. In bfloat16, EfficientNet-Lite1's vectors of plain images stay
    within cosine 0.9992, those of the others within 0.991, those of grey versions of real paintings within
    0.93.
    """
    random = np.random.default_rng(0)
    images = np.zeros((TRIAL_IMAGES, crop, crop, 3))
    for cells in (2, 7, 28, crop):
        grid = random.random((TRIAL_IMAGES, cells, cells, 3))
        at = np.arange(crop) * cells // crop
        images += grid[:, at][:, :, at]
    images *= 255 / 4
    _, grey, dark, pale = np.split(images, 4)
    grey[:] = grey.mean(axis=3, keepdims=True)
    dark *= 0.1
    pale[:] = 115 + 0.1 * pale
    return np.asarray(images, dtype=np.uint8)
