"""Heads are judged by works that they were not fitted to, and never make a space worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from simsearch.encoders.heads.head import Head
from simsearch.features.vectors import Vectors, unit_rows
from simsearch.settings.sections.training import (
    ContrastiveConfig,
    DenoisingConfig,
    WhiteningConfig,
)
from simsearch.training.contrastive import fit_contrastive
from simsearch.training.heads import Fit, copied_artworks, epochs, fit_head
from simsearch.training.judging import LearnedFrom

WIDTH, COPIES = 24, 3


def collection(works: int, spread: Vectors, noise: float, seed: int) -> LearnedFrom:
    """Works whose vectors vary by `spread` in each direction, with COPIES copies that differ from them by
    `noise` times as much."""
    random = np.random.default_rng(seed)
    originals = random.normal(size=(works, len(spread))) * spread
    copies = np.repeat(originals, COPIES, axis=0)
    copies += random.normal(size=copies.shape) * noise * spread
    vectors = np.concatenate([originals, copies]).astype(np.float32)
    numbers = np.concatenate([np.arange(works), np.repeat(np.arange(works), COPIES)])
    profiles = np.concatenate([np.zeros(works, int), np.tile(np.arange(1, COPIES + 1), works)])
    return LearnedFrom(vectors, numbers, profiles)


def chosen(data: LearnedFrom, **settings: object) -> Fit:
    return fit_head("mine", WhiteningConfig(kind="whitening", **settings), data, seed=3)


def micro_ap(head: Head | None, data: LearnedFrom) -> float:
    vectors = unit_rows(data.vectors if head is None else head(data.vectors))
    copies = ~data.originals
    own = data.artworks[copies][:, None] == data.artworks[data.originals]
    cosines = vectors[copies] @ vectors[data.originals].T
    return float(average_precision_score(own.ravel(), cosines.ravel()))


# A few directions that all works share outweigh the rest: what whitening is for.
STEEP = np.geomspace(8, 0.5, WIDTH).astype(np.float32)


def test_copies_of_unseen_works_are_found_better_where_few_directions_outweigh_the_rest() -> None:
    fit = chosen(collection(300, STEEP, 0.5, seed=1))
    unseen = collection(200, STEEP, 0.5, seed=2)
    assert fit.chosen["changed"]
    assert micro_ap(fit.head, unseen) > micro_ap(None, unseen) + 0.05


@pytest.mark.parametrize("works", [32, 90, 400])
def test_an_encoder_that_nothing_betters_keeps_its_vectors(works: int) -> None:
    data = collection(works, np.ones(WIDTH, np.float32), 0.3, seed=works)
    fit = chosen(data)
    assert not fit.chosen["changed"]
    assert fit.chosen["micro_ap"] == fit.chosen["encoder_micro_ap"]
    np.testing.assert_array_equal(fit.head(data.vectors), unit_rows(data.vectors))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0, 1000.0])
@pytest.mark.parametrize("works", [32, 64, 128])
def test_no_space_gets_worse_however_few_works_there_are(works: int, noise: float) -> None:
    gains = []
    for seed in range(8):
        fit = chosen(collection(works, STEEP, noise, seed))
        unseen = collection(150, STEEP, noise, seed + 100)
        gains.append(micro_ap(fit.head, unseen) - micro_ap(None, unseen))
    assert min(gains) > -0.01


OTHER_KINDS = [ContrastiveConfig(kind="contrastive", epochs=6), DenoisingConfig(kind="denoising")]


@pytest.mark.slow
@pytest.mark.parametrize("settings", OTHER_KINDS, ids=["contrastive", "denoising"])
@pytest.mark.parametrize("spread", [STEEP, np.ones(WIDTH, np.float32)], ids=["steep", "even"])
@pytest.mark.parametrize("noise", [0.5, 1000.0])
def test_no_other_head_makes_a_space_worse(settings: Any, spread: Vectors, noise: float) -> None:
    for works in (40, 120):
        for seed in range(3):
            data, unseen = (collection(works, spread, noise, at) for at in (seed, seed + 100))
            fit = fit_head("mine", settings, data, seed=seed)
            assert micro_ap(fit.head, unseen) > micro_ap(None, unseen) - 0.02


def test_a_head_that_serves_is_fitted_to_all_works_in_the_end() -> None:
    data = collection(200, STEEP, 0.5, seed=1)
    told: list[int] = []
    settings = ContrastiveConfig(kind="contrastive", epochs=4)
    fit = fit_head("mine", settings, data, 3, told.append)
    alone, losses = fit_contrastive(
        data.vectors, data.artworks, data.originals, settings, name="mine", seed=3
    )
    assert fit.chosen["changed"]
    assert fit.chosen["held_out"] == 66
    assert fit.head.to_bytes() == alone.to_bytes()
    assert fit.losses == losses
    assert told == list(range(1, epochs(settings) + 1))


def test_changes_that_a_head_learned_do_not_judge_it() -> None:
    """Copies by odd profiles lie along one direction, which a head learns to leave out; those by even ones do
    not, and it only harms them."""
    random = np.random.default_rng(1)
    works = 90
    originals = random.normal(size=(works, WIDTH))
    along = np.zeros(WIDTH)
    along[0] = 6.0
    copies = [originals + along * random.normal(size=(works, 1)) for _ in range(2)]
    copies[1] = originals + 0.3 * random.normal(size=originals.shape)
    vectors = np.concatenate([originals, *copies]).astype(np.float32)
    data = LearnedFrom(vectors, np.tile(np.arange(works), 3), np.repeat([0, 1, 2], works))
    first, second = data.halves()
    assert set(first.profiles) == {0, 1}
    assert set(second.profiles) == {0, 2}
    fit = fit_head("mine", DenoisingConfig(kind="denoising"), data, seed=3)
    held = data.hold_out(works // 3, 3)
    asked = second.select(np.isin(second.artworks, held))
    assert fit.chosen["encoder_micro_ap"] == pytest.approx(micro_ap(None, asked), abs=1e-6)


def test_a_random_encoder_is_not_changed() -> None:
    data = collection(200, np.ones(WIDTH, np.float32), 1000.0, seed=5)
    assert not chosen(data).chosen["changed"]


def test_the_scores_are_those_of_held_out_works_alone() -> None:
    data = collection(90, STEEP, 0.5, seed=7)
    fit = chosen(data)
    assert fit.chosen["held_out"] == 30
    random = np.random.default_rng(3).permutation(90)[:30]
    held = np.isin(data.artworks, random)
    asked = data.select(held)
    assert fit.chosen["encoder_micro_ap"] == pytest.approx(micro_ap(None, asked), abs=1e-6)


def test_so_many_components_as_asked_for_are_kept_with_or_without_whitening() -> None:
    steep, even = (
        collection(120, STEEP, 0.5, 1),
        collection(120, np.ones(WIDTH, np.float32), 1e3, 1),
    )
    assert [chosen(data, dimensions=5).head.dimension for data in (steep, even)] == [5, 5]


def test_works_without_copies_leave_the_vectors_as_they_are() -> None:
    data = collection(60, STEEP, 0.5, seed=1)
    alone = data.select(data.originals)
    fit = chosen(alone)
    assert fit.chosen["held_out"] == 0
    np.testing.assert_array_equal(fit.head(alone.vectors), unit_rows(alone.vectors))


def test_the_same_vectors_and_seed_give_the_same_bytes() -> None:
    first, second = (chosen(collection(120, STEEP, 0.5, seed=1)).head for _ in range(2))
    assert first.to_bytes() == second.to_bytes()


@pytest.mark.parametrize(
    ("settings", "most", "expected"),
    [({"power": 0.5}, 2000, 0), ({}, 2000, 300), ({}, 100, 100), ({}, None, 300)],
)
def test_copies_are_made_of_no_more_works_than_decide(
    settings: dict[str, float], most: int | None, expected: int
) -> None:
    assert copied_artworks(WhiteningConfig(kind="whitening", **settings), most) == expected
