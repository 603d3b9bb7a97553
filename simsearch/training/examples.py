"""Pictures that an autoencoder makes of artworks it never saw, stored beside its weights.

trained/<name>-<digest>/examples.safetensors    uint8 [n, side, side, 3] each:
    originals, made (each again), copies and mended (what it makes of the copies),
    between (variational: from the first to the second original, in equal steps)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from PIL import Image

from simsearch.encoders.backbones.autoencoder import Autoencoder
from simsearch.encoders.trained import EXAMPLES, Training
from simsearch.settings.config import Config
from simsearch.settings.sections.training import AutoencoderConfig
from simsearch.storage.storage import Storage
from simsearch.training.data import Pixels, PixelSet
from simsearch.training.loop import to_images

SHOWN = 6  # artworks
STEPS = 8  # pictures between two artworks, both included


def store(
    config: Config,
    storage: Storage,
    training: Training,
    settings: AutoencoderConfig,
    state: dict[str, Any],
    everything: PixelSet,
    artworks: Sequence[str],
) -> None:
    """Make and store the pictures for the originals of `artworks`."""
    ids = everything.rows["artwork_id"].to_pylist()
    wanted = (
        np.array([artwork_id in set(artworks) for artwork_id in ids], dtype=bool)
        & everything.originals
    )
    originals = everything.select(wanted)
    model = Autoencoder(settings)
    model.load_state_dict(state)
    model.eval()
    copies = _copies(config, originals)
    pictures = {
        "originals": originals.pixels,
        "made": _restore(model, originals.pixels),
        "copies": copies,
        "mended": _restore(model, copies),
    }
    if settings.kind == "variational" and len(originals.pixels) > 1:
        pictures["between"] = _interpolate(model, originals.pixels[0], originals.pixels[1])
    data = safetensors.numpy.save(
        {name: np.ascontiguousarray(images) for name, images in pictures.items()}
    )
    storage.write_bytes(f"{training.folder}/{EXAMPLES}", data)


def _copies(config: Config, originals: PixelSet) -> Pixels:
    """A perturbed copy of each example [n, side, side, 3], made from the example's pixels. The profiles of
    the training take turns."""
    side = originals.pixels.shape[1]
    copies = np.empty_like(originals.pixels)
    hashes = originals.rows["content_hash"].to_pylist()
    for row, (pixels, content_hash) in enumerate(zip(originals.pixels, hashes, strict=True)):
        profile = config.train.profiles[row % len(config.train.profiles)]
        copy = config.remake().copy(Image.fromarray(pixels), profile, content_hash)
        copies[row] = np.asarray(copy.resize((side, side)))
    return copies


def _restore(model: Autoencoder, pixels: Pixels) -> Pixels:
    with torch.inference_mode():
        return _to_pixels(model(to_images(pixels, torch.device("cpu")))[0])


def _interpolate(model: Autoencoder, first: Pixels, second: Pixels) -> Pixels:
    with torch.inference_mode():
        ends = model.encode(to_images(np.stack([first, second]), torch.device("cpu")))
        share = torch.linspace(0, 1, STEPS)[:, None]
        return _to_pixels(model.decode(ends[0] * (1 - share) + ends[1] * share))


def _to_pixels(images: torch.Tensor) -> Pixels:
    scaled = images.mul(255).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(scaled.permute(0, 2, 3, 1).numpy())
