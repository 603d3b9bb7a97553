"""Notes that a reader makes beside its rows: omissions with their reasons, and guesses."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from simsearch.catalog.image_names import LONGEST_PLACE, shorten
from simsearch.settings.secrets import hide_secrets

CAUSES = 5  # of one reason, that a line names
_ADDRESS = re.compile(r"^https?://\S+: ")


@dataclass
class Notes:
    """The notes on a collection. `left_out` has a count and the first example for each reason, `causes` the
    causes of those reasons that have several."""

    lines: list[str] = field(default_factory=list)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    causes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def say(self, line: str) -> None:
        """Note a sentence for the log. The same sentence is noted once."""
        if line not in self.lines:
            self.lines.append(line)

    def leave_out(self, reason: str, example: str, count: int = 1) -> None:
        """Count something that does not become an artwork, and keep the first example of a reason."""
        before, first = self.left_out.get(reason, (0, shorten(example, LONGEST_PLACE)))
        self.left_out[reason] = (before + count, first)

    def miss(self, reason: str, place: str, cause: str) -> None:
        """Count something at a place that could not be had, and its cause."""
        self.leave_out(reason, f"{place}: {cause}")
        self.causes[reason][_ADDRESS.sub("", cause)] += 1

    def add(self, other: Notes) -> None:
        """Append the sentences and counts of other notes."""
        for line in other.lines:
            self.say(line)
        for reason, (count, example) in other.left_out.items():
            self.leave_out(reason, example, count)
        for reason, counted in other.causes.items():
            self.causes[reason].update(counted)

    def summary(self) -> list[str]:
        """Every sentence, then a line for each reason, the most frequent first. They have no secrets."""
        counted = sorted(self.left_out.items(), key=lambda item: -item[1][0])
        lines = self.lines + [
            f"left out: {count:,} {reason} ({self._describe_causes(reason)}first: {example})"
            for reason, (count, example) in counted
        ]
        # Names of files may have bytes that no log can hold.
        return [hide_secrets(line).encode(errors="backslashreplace").decode() for line in lines]

    def _describe_causes(self, reason: str) -> str:
        """The most frequent causes of a reason in words. Empty for fewer than two."""
        causes = self.causes.get(reason, Counter())
        if len(causes) < 2:
            return ""
        frequent = causes.most_common(CAUSES)
        said = [f"{count:,} × {cause}" for cause, count in frequent]
        if others := causes.total() - sum(count for _, count in frequent):
            said.append(f"{others:,} × another cause")
        return f"{', '.join(said)}; "
