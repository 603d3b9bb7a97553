"""The losses against their formulas, written out in loops."""

import numpy as np
import torch

from simsearch.training import losses


def _unit(count: int, dimension: int, seed: int) -> torch.Tensor:
    drawn = torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dimension)))
    return torch.nn.functional.normalize(drawn)


def test_info_nce_is_its_formula() -> None:
    vectors, artworks = _unit(9, 5, seed=1), torch.tensor([0, 0, 1, 1, 1, 2, 2, 3, 3])
    x, terms = vectors.numpy(), []
    for i in range(9):
        for j in range(9):
            if i != j and artworks[i] == artworks[j]:
                negative = sum(
                    np.exp(x[i] @ x[k] / 0.05) for k in range(9) if artworks[k] != artworks[i]
                )
                positive = np.exp(x[i] @ x[j] / 0.05)
                terms.append(-np.log(positive / (positive + negative)))
    computed = losses.info_nce(vectors, artworks, temperature=0.05)
    np.testing.assert_allclose(float(computed), np.mean(terms), rtol=1e-9)


def test_koleo_is_its_formula_over_other_artworks() -> None:
    vectors, artworks = _unit(8, 4, seed=2), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    x = vectors.numpy()
    terms = [
        np.log(min(np.linalg.norm(x[i] - x[k]) for k in range(8) if artworks[k] != artworks[i]))
        for i in range(8)
    ]
    computed = losses.koleo(vectors, artworks)
    np.testing.assert_allclose(float(computed), -np.mean(terms), rtol=1e-6)


def test_koleo_stays_finite_where_two_artworks_coincide() -> None:
    vectors = _unit(1, 4, seed=3).repeat(4, 1).requires_grad_()
    loss = losses.koleo(vectors, torch.arange(4))
    loss.backward()
    assert torch.isfinite(loss)
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_reconstruction_sums_over_an_image_and_averages_over_images() -> None:
    random = np.random.default_rng(4)
    images, targets = random.random((2, 3, 3, 8, 8))
    computed = losses.reconstruction(torch.from_numpy(images), torch.from_numpy(targets))
    np.testing.assert_allclose(float(computed), ((images - targets) ** 2).sum() / 3, rtol=1e-9)


def test_divergence_is_pytorchs() -> None:
    random = np.random.default_rng(5)
    mean, log_variance = torch.from_numpy(random.normal(size=(2, 7, 3)))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (log_variance / 2).exp()),
        torch.distributions.Normal(0.0, 1.0),
    )
    computed = losses.divergence(mean, log_variance)
    np.testing.assert_allclose(computed.numpy(), expected.mean(dim=0).numpy(), rtol=1e-9)
