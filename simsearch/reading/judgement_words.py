"""The judgements of a root: which count, and what they say, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from simsearch.judgements.judgements import Judgement, read_judgements
from simsearch.judgements.outcome import Outcome, outcomes
from simsearch.storage.storage import Storage


def current_judgements(storage: Storage) -> list[Judgement]:
    """The answers that count, in the order of their times. Raises DamagedError."""
    return read_judgements(storage)


def current_outcomes(storage: Storage) -> list[Outcome]:
    """The outcome of each question, in alphabetical order. Raises DamagedError."""
    return outcomes(read_judgements(storage))


def outcome_values(outcome: Outcome) -> dict[str, object]:
    """An outcome as JSON has it."""
    preferences = [
        {"first": first, "other": other, **asdict(preference)}
        for (first, other), preference in outcome.preferences.items()
    ]
    return asdict(outcome) | {"preferences": preferences}


def outcome_lines(outcome: Outcome) -> list[str]:
    """An outcome in words."""
    lines = [f"{outcome.question}:"]
    for (first, other), said in outcome.preferences.items():
        share = f"{said.share:.0%} ({said.low:.0%} to {said.high:.0%}, {said.answers:,} answers)"
        if said.clear:
            end = f"decided: people prefer {first if said.share > 0.5 else other}"
        elif said.more:
            end = f"about {said.more:,} more until this is decided"
        else:
            end = "undecided; more answers are not likely to change that"
        lines.append(f"  {first} preferred to {other}: {share}; {end}")
    if outcome.ranking:
        lines.append("  ranking (Bradley-Terry): " + ", ".join(outcome.ranking))
    if outcome.alpha is not None and outcome.alpha_interval is not None:
        low, high = outcome.alpha_interval
        lines.append(
            f"  agreement of judges (Krippendorff's alpha): {outcome.alpha:.2f} ({low:.2f} to {high:.2f}, "
            f"{outcome.shared:,} shared questions)"
        )
    for judge in outcome.judges:
        lines.append(
            f"  {judge.who}: {judge.answers:,} answers; {judge.repeats_agreeing} of {judge.repeats} repeats "
            f"answered alike; {judge.checks_passed} of {judge.checks} checks passed"
        )
    return lines
