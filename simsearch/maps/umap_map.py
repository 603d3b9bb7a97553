"""UMAP as maps use it, telling how far it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from simsearch.maps.placing import Coordinates
from simsearch.settings.sections.analysis import ProjectionConfig

LARGE_MAP = 10_000  # artworks above which UMAP takes fewer epochs
TELL_SECONDS = 1.0  # between two epochs that are told
FLAT = 1e-6  # share of the first axis' spread below which the second has none
INITIAL_SPREAD = 1e-4  # as Kobak & Linderman 2021 scale a PCA initialisation

Told = Callable[[int], object]
"""Told how many epochs of a map are done."""


def epochs(method: str, originals: int) -> int:
    """How many epochs the map of so many originals takes: UMAP's own numbers, 1 for a map that is found in
    closed form."""
    if method != "umap":
        return 1
    return 500 if originals <= LARGE_MAP else 200


class _Epochs:
    """The file that UMAP's progress bar writes to: passes on the number of epochs that it shows."""

    def __init__(self, tell: Told) -> None:
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
    tell: Told = lambda _: None,
) -> Coordinates:
    """UMAP's map float32 [n, 2] of principal `components` [n, c], begun at the points `start` [n, 2]."""
    from umap import UMAP  # compiles with Numba at import: seconds that only this needs

    start = start.astype(np.float64)
    start *= INITIAL_SPREAD / start[:, 0].std()
    # UMAP divides each axis of its start by its extent: of vectors along one line, one has none.
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
        n_jobs=1,  # with a seed there is no more; said, so that UMAP does not warn of it
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="umap")
        return np.asarray(reducer.fit_transform(components), dtype=np.float32)
