"""How many pairs of other works would agree as well by chance.

Musé, Sur, Cao and Gousseau, Unsupervised thresholds for shape matching, 2003; Rabin, Delon and Gousseau,
A statistical approach to the matching of local features, 2009. There matches are independent; here the
law is estimated from pairs of pictures of different works, since painters and printers repeat themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Evidence = npt.NDArray[np.float64]

# Evidence by which an agreement of independent matches becomes ten times rarer, and with how many
# agreements by chance this value is weighed against those seen.
INDEPENDENT = 1.0
PRIOR = 5
# Evidence beyond says nothing more of chance: among pairs of different works may be a few that do agree.
HIGHEST = 3.0


@dataclass(frozen=True)
class Chance:
    """How often pairs of different works agree: the `share` of pairs with an agreement, and the evidence
    `decade` by which agreements become ten times rarer."""

    share: float
    decade: float

    def false_alarms(self, evidence: Evidence, pairs: int) -> Evidence:
        """The numbers of false pairs expected among `pairs` compared pairs with as much evidence or more."""
        return pairs * self.share * 10.0 ** (-np.asarray(evidence, np.float64) / self.decade)

    def least_evidence(self, pairs: int, expected: float = 1.0) -> float:
        """The evidence from which at most `expected` false pairs are expected among `pairs`."""
        return max(0.0, self.decade * float(np.log10(max(pairs, 1) * self.share / expected)))


def estimate_chance(evidence: Evidence) -> Chance:
    """What chance gives, from the evidence of pairs of different works, 0 where `agree` gave None."""
    reached = evidence[evidence > 0]
    counted = int((reached < HIGHEST).sum())
    # Maximum likelihood of an exponential law whose values are known up to HIGHEST.
    total = float(np.minimum(reached, HIGHEST).sum()) * np.log(10)
    decade = (total + PRIOR * INDEPENDENT) / (counted + PRIOR)
    return Chance((len(reached) + 1) / (len(evidence) + 1), decade)
