"""The denoising head against scikit-learn's ridge regression."""

import numpy as np
from sklearn.linear_model import Ridge

from simsearch.encoders.heads.denoising import fit_denoising
from simsearch.features.vectors import unit_rows


def _pairs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    originals = random.normal(size=(400, 10)).astype(np.float32)
    turned = np.linalg.qr(random.normal(size=(10, 10)))[0]
    copies = originals @ turned + 0.1 * random.normal(size=originals.shape)
    return copies.astype(np.float32), originals


def test_denoising_is_scikit_learns_ridge() -> None:
    copies, originals = _pairs(seed=1)
    head = fit_denoising(copies, originals, ridge=0.01)
    given = unit_rows(copies).astype(np.float64)
    alpha = 0.01 * ((given - given.mean(axis=0)) ** 2).sum() / given.shape[1]
    reference = Ridge(alpha=alpha, solver="cholesky").fit(given, unit_rows(originals))
    np.testing.assert_allclose(head(copies), reference.predict(given), atol=1e-4)


def test_a_copy_comes_nearer_to_its_original() -> None:
    copies, originals = _pairs(seed=2)
    other_copies, other_originals = copies[300:], unit_rows(originals[300:])
    head = fit_denoising(copies[:300], originals[:300], ridge=1e-3)
    before = (unit_rows(other_copies) * other_originals).sum(axis=1)
    after = (unit_rows(head(other_copies)) * other_originals).sum(axis=1)
    assert after.mean() > 0.9 > before.mean()
