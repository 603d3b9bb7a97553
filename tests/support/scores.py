"""Rankings and scores made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simsearch.evaluation.metrics import Scores, recovery_scores, study_measures
from simsearch.evaluation.ranking import Ranking


def ranking(hits: np.ndarray, relevant: np.ndarray) -> Ranking:
    """Rankings without ties."""
    distances = np.arange(hits.size, dtype=np.float32).reshape(hits.shape)
    return Ranking(hits, distances, relevant)


def study_scores_of(
    hits: np.ndarray, copies: np.ndarray, profiles: Sequence[str], ks: Sequence[int]
) -> list[Scores]:
    """The study's scores of rankings [n, k] that hold copies of the profiles with the numbers `hits`, −1 for
    other images. `copies` [n]: how many an original has."""
    scores = list(study_measures(ranking(hits >= 0, copies), ks))
    for number, profile in enumerate(profiles):
        single = ranking(hits == number, np.ones_like(copies))
        scores += recovery_scores(profile, single, copies, ks)
    return scores
