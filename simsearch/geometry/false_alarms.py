"""How many pairs of other works would agree as well by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Evidence = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chance:
    """How often pairs of different works reach an `Agreement.evidence`: an exponential tail."""

    start: float
    share: float
    scale: float

    def false_alarms(self, evidence: Evidence, pairs: int) -> Evidence:
        """The number of false pairs expected among `pairs` verified pairs with as much evidence."""
        raise NotImplementedError

    def least_evidence(self, pairs: int, expected: float = 1.0) -> float:
        """The evidence from which at most `expected` false pairs are expected among `pairs`."""
        raise NotImplementedError


def estimate_chance(evidence: Evidence) -> Chance:
    """What chance gives, from the evidence of pairs of different works (0.0 where `agree` gave None).

    A few pairs that do agree may be among them: the estimate does not follow its highest percent.
    """
    raise NotImplementedError
