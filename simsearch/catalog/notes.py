"""What a reader has to tell beside the rows: what it left out and why, and what it guessed."""

from __future__ import annotations

from dataclasses import dataclass, field

from simsearch.settings.secrets import hide_secrets


@dataclass
class Notes:
    """Collected while a collection is read. `left_out` has a count and the first example a reason."""

    lines: list[str] = field(default_factory=list)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)

    def say(self, line: str) -> None:
        """A sentence for the log, once."""
        if line not in self.lines:
            self.lines.append(line)

    def leave_out(self, reason: str, example: str, count: int = 1) -> None:
        """Count something that does not become an artwork; the first example of a reason is kept."""
        before, first = self.left_out.get(reason, (0, example))
        self.left_out[reason] = (before + count, first)

    def add(self, other: Notes) -> None:
        """Take over another's sentences and counts, after those that are here."""
        for line in other.lines:
            self.say(line)
        for reason, (count, example) in other.left_out.items():
            self.leave_out(reason, example, count)

    def summary(self) -> list[str]:
        """Every sentence, then a line for each reason, the most frequent first; no secrets in them."""
        counted = sorted(self.left_out.items(), key=lambda item: -item[1][0])
        lines = self.lines + [
            f"left out: {count:,} {reason} (first: {example})"
            for reason, (count, example) in counted
        ]
        return [hide_secrets(line) for line in lines]
