"""Two worker processes learn what one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch.training.train import fit
from tests.training.test_loop import _assignment, _curve

pytestmark = pytest.mark.usefixtures("ray_local")


def test_two_workers_learn_as_one_does(tmp_path: Path) -> None:
    alone = _assignment(tmp_path / "alone", kind="variational", epochs=2)
    fit(alone, workers=0, use_gpu=False)
    both = _assignment(tmp_path / "both", kind="variational", epochs=2)
    fit(both, workers=2, use_gpu=False)
    for one, two in zip(_curve(alone), _curve(both), strict=True):
        assert two["reconstruction"] == pytest.approx(one["reconstruction"], rel=1e-3)
        assert two["divergence"] == pytest.approx(one["divergence"], rel=1e-2)
