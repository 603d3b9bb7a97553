"""Judgements to test with, and judges whose preferences are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.judgements.judgements import Judgement
from simsearch.judgements.triplets import Proposals

AT = "2026-01-01T00:00:00.000000+00:00"


def judgement(**values: Any) -> Judgement:
    """A judgement with the given values, and others that are plausible."""
    row: dict[str, Any] = {
        "at": AT,
        "who": "Ada",
        "question": "style",
        "asked": f"{'0' * 16}/0/1",
        "kind": "own",
        "work_hash": "w",
        "left_hash": "l",
        "right_hash": "r",
        "left_space": "first",
        "right_space": "second",
        "left_fingerprint": "1",
        "right_fingerprint": "2",
        "rank": 1,
        "answer": "left",
    }
    return Judgement(**row | values)


def proposals_of(spaces: dict[str, npt.NDArray[np.float64]]) -> Proposals:
    """What spaces [works, dimensions] propose, by distance."""

    def nearest(space: str, work: int, n: int) -> Sequence[int]:
        points = spaces[space]
        order = np.argsort(((points - points[work]) ** 2).sum(axis=1), kind="stable")
        return [int(number) for number in order if number != work][:n]

    works = len(next(iter(spaces.values())))
    return Proposals(tuple(spaces), works, nearest, lambda work: work)
