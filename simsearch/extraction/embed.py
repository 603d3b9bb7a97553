"""The stage of an extraction that turns pixels into vectors, in the actors of a pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.encoders.encoder import Encoder, Loader, Running, Weights
from simsearch.extraction.batches import Batch, Counter
from simsearch.extraction.engine import IN_WORDS
from simsearch.features.space import PYTORCH, FeatureSpace
from simsearch.images.preprocessing import Preprocessing

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EmbedSettings:
    """One encoder of an actor: its place in `need`, its pixels column, its settings."""

    position: int
    pixels: str
    space: FeatureSpace
    encoder: Loader
    preprocessing: Preprocessing


class Busy:
    """Divides time among overlapping calls of several threads on a device, which runs one call at a time.

    A call counts the time since the end of the call before it. The sum over all calls is therefore the
    time in which at least one call was running.
    """

    def __init__(self) -> None:
        self._ended = 0.0
        self._lock = threading.Lock()

    def measure(self, started: float) -> float:
        """The seconds that count for a call that began at `started` (of time.perf_counter) and ends now."""
        with self._lock:
            before, self._ended = self._ended, time.perf_counter()
            return self._ended - max(started, before)


class Embed:
    """Turns pixels into vectors, with every encoder of an actor pool.

    Adds `vector_<position>` float32 [n, dimension] per encoder, with zeros for rows that do not need it,
    and drops the pixel columns named in `drop`.
    """

    def __init__(
        self,
        settings: Sequence[EmbedSettings],
        weights: Sequence[Weights],
        *,
        device: str,
        threads: int,
        batch_size: int,
        drop: Sequence[str],
        counter: Counter,
    ) -> None:
        self._settings = list(settings)
        self._drop = frozenset(drop)
        self._counter = counter
        self._device = device
        if device == "cpu":
            self._device = f"cpu, {threads} thread{'s' if threads > 1 else ''}"
        self._busy = Busy()
        # Ray Data calls an actor on another thread than the one that made it. OpenMP starts a team of
        # workers for each calling thread. Two teams on the same cores sleep at each barrier instead of
        # spinning: on two cores DenseNet201 made 13.9 images/s with two teams, 15.2 with one.
        self._thread = ThreadPoolExecutor(1)
        self._encoders = self._thread.submit(
            self._load, weights, device, threads, batch_size
        ).result()
        self._on_gpu = device == "cuda"

    def _load(
        self, weights: Sequence[Weights], device: str, threads: int, batch_size: int
    ) -> list[Encoder]:
        return [
            network.encoder.load(
                weight,
                Running(
                    network.preprocessing,
                    precision=network.space.precision,
                    mode=network.space.mode,
                    device=device,
                    batch_size=batch_size,
                    threads=threads,
                ),
            )
            for network, weight in zip(self._settings, weights, strict=True)
        ]

    def __call__(self, batch: Batch) -> Batch:
        result = {name: column for name, column in batch.items() if name not in self._drop}
        for network, encoder in zip(self._settings, self._encoders, strict=True):
            wanted = batch["need"][:, network.position]
            vectors = np.zeros((len(wanted), network.space.dimension), dtype=np.float32)
            if wanted.any():
                pixels = batch[network.pixels]
                started = time.perf_counter()
                chosen = pixels if wanted.all() else pixels[wanted]
                new_vectors = self._run(encoder, chosen)
                seconds = self._busy.measure(started)
                vectors[wanted] = new_vectors
                self._counter.timed(
                    network.space, self._ran_on(network), int(wanted.sum()), seconds
                )
            self._counter.add(batch["place"][wanted] + network.position)
            result[f"vector_{network.position}"] = vectors
        return result

    def embed(self, place: int, pixels: Pixels) -> Vectors:
        """The vectors [n, dimension] of pixels [n, crop, crop, 3] by the encoder at `place`."""
        return self._run(self._encoders[place], pixels)

    def _run(self, encoder: Encoder, pixels: Pixels) -> Vectors:
        # On a GPU the calling thread itself runs the encoder, as several threads may run at once.
        return encoder(pixels) if self._on_gpu else self._thread.submit(encoder, pixels).result()

    def _ran_on(self, network: EmbedSettings) -> str:
        """The device of a network, such as `cpu, 1 thread`, and its engine unless that is PyTorch."""
        engine = network.space.engine
        return self._device if engine == PYTORCH else f"{self._device}, {IN_WORDS[engine]}"
