"""The rules in a host's robots.txt (RFC 9309).

An absent file (4xx) allows everything. A file that cannot be fetched (5xx, no answer) allows nothing for
the rest of the run, as the standard demands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import protego

from simsearch.catalog.web.errors import FAILURES, RefusedError, reason_of

AGENT = "simsearch"
MAX_BYTES = 512 * 1024  # RFC 9309 asks for 500 KiB at least
LONGEST_GAP = 60.0  # seconds between two requests; a host that asks for more is not asked at all
IGNORE_ADVICE = "catalog.download.robots=false ignores it"


@dataclass(frozen=True)
class Robots:
    """`gap` is the seconds between two requests, 0 if the file has none. `refusal` says why nothing is
    allowed. The refusal is `lasting` if it comes from the file itself."""

    rules: protego.Protego | None = None
    gap: float = 0.0
    refusal: str | None = None
    lasting: bool = False

    def check(self, url: str) -> None:
        """Raise RefusedError if the host forbids requests for this address."""
        if self.refusal is not None:
            raise RefusedError(self.refusal, lasting=self.lasting)
        if self.rules is not None and not self.rules.can_fetch(url, AGENT):
            raise RefusedError(f"its robots.txt forbids it; {IGNORE_ADVICE}", lasting=True)


def read_robots(get: Callable[[], bytes]) -> Robots:
    """The rules in the file that `get` fetches. A failure becomes a refusal."""
    try:
        data = get()
    except FAILURES as error:
        status = getattr(error, "status", None)
        if status is not None and 400 <= status < 500:
            return Robots()
        reason = reason_of(error)
        return Robots(
            refusal=f"{reason} for its robots.txt, so nothing is allowed (RFC 9309); "
            f"run again later; {IGNORE_ADVICE}"
        )
    rules = protego.Protego.parse(data.decode("utf-8", "replace"))
    gap = float(rules.crawl_delay(AGENT) or 0.0)
    if math.isnan(gap) or gap < 0:
        gap = 0.0
    if gap > LONGEST_GAP:
        return Robots(
            refusal=f"its robots.txt asks for {gap:,.0f} s between two requests (Crawl-delay), more "
            f"than {LONGEST_GAP:g}; {IGNORE_ADVICE}",
            lasting=True,
        )
    return Robots(rules, gap)
