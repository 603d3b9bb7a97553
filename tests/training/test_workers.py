"""Several worker processes learn what one does, whatever their shares, also where one is lost on the way."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simsearch.training.train import fit
from tests.training.test_loop import _assignment, _curve

pytestmark = [pytest.mark.drill, pytest.mark.usefixtures("ray_local")]


@dataclass(frozen=True)
class KilledOnce:
    """Told in a worker how many steps are done, it kills that worker after the third, once: in the
    second epoch."""

    killed: Path

    def __call__(self, done: int) -> None:
        if done == 3 and not self.killed.exists():
            self.killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def test_two_workers_learn_as_one_does_though_one_is_lost(tmp_path: Path) -> None:
    alone = _assignment(tmp_path / "alone", kind="variational", epochs=2)
    fit(alone, workers=0, use_gpu=False)
    both = _assignment(tmp_path / "both", kind="variational", epochs=2)
    fit(both, workers=2, use_gpu=False, tell=KilledOnce(tmp_path / "killed"))
    assert (tmp_path / "killed").exists()
    for losses, losses_of_two in zip(_curve(alone), _curve(both), strict=True):
        assert losses_of_two["reconstruction"] == pytest.approx(losses["reconstruction"], rel=1e-3)
        assert losses_of_two["divergence"] == pytest.approx(losses["divergence"], rel=1e-2)


@pytest.mark.parametrize(("workers", "batch_size"), [(3, 2), (2, 7)])
def test_workers_learn_as_one_does_where_their_shares_differ(
    workers: int, batch_size: int, tmp_path: Path
) -> None:
    """Of two images the third worker gets none, of seven the second gets three."""
    settings: dict[str, Any] = {"kind": "variational", "epochs": 1, "batch_size": batch_size}
    alone = _assignment(tmp_path / "alone", **settings)
    fit(alone, workers=0, use_gpu=False)
    shared = _assignment(tmp_path / "shared", **settings)
    fit(shared, workers=workers, use_gpu=False)
    for losses, losses_of_all in zip(_curve(alone), _curve(shared), strict=True):
        assert losses_of_all == pytest.approx(losses, rel=1e-3)
