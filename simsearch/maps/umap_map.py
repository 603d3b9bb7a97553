"""UMAP for maps, with reports of its progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from simsearch.maps.placing import Coordinates
from simsearch.settings.sections.analysis import ProjectionConfig

LARGE_MAP = 10_000  # artworks above which UMAP takes fewer epochs
TELL_SECONDS = 1.0  # between two reports
FLAT = 1e-6  # share of the first axis' spread below which the second axis counts as flat
INITIAL_SPREAD = 1e-4  # as Kobak & Linderman 2021 scale a PCA initialisation

Tell = Callable[[int], object]
"""Called with the number of finished epochs of a map."""


def epochs(method: str, originals: int) -> int:
    """The number of epochs for a map of so many originals: UMAP's own numbers, 1 for a map in closed
    form."""
    if method != "umap":
        return 1
    return 500 if originals <= LARGE_MAP else 200


class _Epochs:
    """A file for UMAP's progress bar, which passes on the number of epochs that the bar shows."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, text: str) -> int:
        if text.strip().isdecimal():
            self._tell(int(text))
        return len(text)

    def flush(self) -> None: ...


def umap_map(
    components: Coordinates,
    start: Coordinates,
    settings: ProjectionConfig,
    seed: int,
    tell: Tell = lambda _: None,
) -> Coordinates:
    """UMAP's map float32 [n, 2] of principal `components` [n, c], begun at the points `start` [n, 2]."""
    from umap import UMAP  # compiles with Numba at import, which takes seconds

    start = start.astype(np.float64)
    start *= INITIAL_SPREAD / start[:, 0].std()
    # UMAP divides each axis of its start by the axis' extent, which is 0 for vectors along one line.
    flat = np.ptp(start, axis=0) <= FLAT * INITIAL_SPREAD
    start[:, flat] = np.random.default_rng(seed).normal(
        scale=FLAT * INITIAL_SPREAD, size=(len(start), 1)
    )
    reducer = UMAP(
        n_neighbors=min(settings.umap_neighbours, len(components) - 1),
        min_dist=settings.umap_min_distance,
        metric="cosine",
        init=start.astype(np.float32),
        random_state=seed,
        n_epochs=epochs("umap", len(components)),
        tqdm_kwds={
            "file": _Epochs(tell),
            "bar_format": "{n}",
            "disable": False,
            "mininterval": TELL_SECONDS,
        },
        n_jobs=1,  # UMAP uses one job with a seed; if this is left out, it warns
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="umap")
        return np.asarray(reducer.fit_transform(components), dtype=np.float32)
