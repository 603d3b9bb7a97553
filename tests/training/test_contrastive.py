"""The contrastive head on vectors whose nuisance directions are known."""

from typing import Any

import numpy as np
import pytest

from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.errors import TrainingError
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.settings.sections.training import ContrastiveConfig, DenoisingConfig, WhiteningConfig
from simsearch.training.contrastive import fit_contrastive
from simsearch.training.heads import fit_head
from simsearch.training.judging import LearnedFrom

COPIES = 3


def _collection(count: int, seed: int) -> tuple[Vectors, np.ndarray, np.ndarray]:
    """Images of artworks that differ in 12 numbers, each shifted far more in 36 others; whose they are,
    and which are originals."""
    random = np.random.default_rng(seed)
    artworks = np.repeat(np.arange(count), COPIES)
    originals = np.arange(len(artworks)) % COPIES == 0
    content = random.normal(size=(count, 12))[artworks]
    nuisance = 3 * random.normal(size=(len(artworks), 36))
    return (
        np.concatenate([content, nuisance], axis=1).astype(np.float32),
        artworks,
        originals,
    )


def _recall(vectors: Vectors, artworks: np.ndarray) -> float:
    """Share of images whose nearest other image is of the same artwork."""
    cosines = unit_rows(vectors) @ unit_rows(vectors).T
    np.fill_diagonal(cosines, -1)
    return float((artworks[cosines.argmax(axis=1)] == artworks).mean())


def _settings(**changes: Any) -> ContrastiveConfig:
    return ContrastiveConfig(
        **{
            "dimensions": 12,
            "epochs": 60,
            "batch_size": 64,
            "learning_rate": 1e-2,
            "entropy": 0.1,
            **changes,
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [None, 64])
def test_copies_of_unseen_artworks_are_found_where_whitening_fails(hidden: int | None) -> None:
    vectors, artworks, originals = _collection(300, seed=1)
    others, owners, _ = _collection(100, seed=2)
    head, losses = fit_contrastive(
        vectors, artworks, originals, _settings(hidden=hidden), name="c", seed=3
    )
    whitened = fit_whitening(vectors, dimensions=None, power=1.0)(others)
    assert _recall(head(others), owners) > 0.7 > 0.4 > _recall(whitened, owners)
    assert losses[-1]["info_nce"] < losses[0]["info_nce"]
    assert [row["epoch"] for row in losses] == list(range(1, 61))


def test_the_same_seed_gives_the_same_head_another_gives_another() -> None:
    vectors, artworks, originals = _collection(80, seed=4)
    settings = _settings(epochs=3)
    heads = [
        fit_contrastive(vectors, artworks, originals, settings, name="c", seed=seed)[0]
        for seed in (5, 5, 6)
    ]
    assert heads[0].to_bytes() == heads[1].to_bytes() != heads[2].to_bytes()


def test_a_loss_that_is_not_finite_is_one_line_naming_the_setting() -> None:
    vectors, artworks, originals = _collection(80, seed=7)
    with pytest.raises(
        TrainingError, match=r"^heads\.mine: the loss is not finite .* heads\.mine\.learning_rate"
    ):
        fit_contrastive(
            vectors, artworks, originals, _settings(learning_rate=1e30), name="mine", seed=1
        )


@pytest.mark.parametrize("copied", [0, 1])
def test_too_few_artworks_with_copies_are_refused_in_one_line(copied: int) -> None:
    vectors, _, _ = _collection(5, seed=7)
    artworks = np.append(np.arange(4), [0] * copied)
    originals = np.arange(len(artworks)) < 4
    with pytest.raises(
        TrainingError, match=rf"^heads\.mine: artworks with copies to learn from: {copied}, .*raise"
    ):
        fit_contrastive(
            vectors[: len(artworks)], artworks, originals, _settings(), name="mine", seed=1
        )


@pytest.mark.parametrize("settings", [WhiteningConfig(), DenoisingConfig(), _settings(epochs=1)])
def test_a_space_of_equal_vectors_has_nothing_to_learn(settings: Any) -> None:
    vectors = np.ones((8, 5), np.float32)
    data = LearnedFrom(vectors, np.tile(np.arange(4), 2), np.repeat([0, 1], 4))
    with pytest.raises(TrainingError, match=r"^heads\.mine: .* the same vector"):
        fit_head("mine", settings, data, seed=1)
