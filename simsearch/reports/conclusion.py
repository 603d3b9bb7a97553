"""Advice on the feature space to pick for each kind of change, and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.features.collapse import find_collapsed
from simsearch.features.space import FeatureSpace
from simsearch.images.perturbations import KINDS
from simsearch.reports.significance import MARGIN, compare_with_best, describe_shortage, quality_of

BYTES_PER_NUMBER = 4  # float32


@dataclass(frozen=True)
class Candidate:
    """A feature space with its quality and cost.

    Quality is the mean average precision over all copies by exact search, with its 95 % interval. Cost is
    the images per second of one actor on `device` (None: no run of this root measured it), the bytes per
    image, and the seconds of its training (0: none). `collapsed` says why the space does not distinguish
    pictures, and is empty if it does."""

    space: FeatureSpace
    quality: float
    low: float
    high: float
    images_per_second: float | None
    device: str
    bytes_per_image: int
    training_seconds: float = 0.0
    collapsed: str = ""


@dataclass(frozen=True)
class Pick:
    """The advice for a group of changes: the fastest among the `best` candidate and those shown to be as
    good. Among equally fast ones, it is the one with the shortest training.

    A candidate is as good if the whole 95 % interval of its mean average precision is at most MARGIN below
    that of the best, and if it is not significantly lower. `equals` are the other candidates that are as
    good. `undecided` are those neither shown to be as good nor significantly worse.
    """

    group: str
    choice: Candidate
    quality: float
    low: float
    high: float
    best: str
    equals: tuple[str, ...]
    undecided: tuple[str, ...]


def candidates(
    metrics: pa.Table,
    spaces: Sequence[FeatureSpace],
    timings: pa.Table,
    training_seconds: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """All spaces of a run with their quality and cost, the best first. Empty without copies.

    `training_seconds` are by the names of learned spaces.
    """
    ranked = []
    reasons = find_collapsed(metrics)
    for space in spaces:
        row = quality_of(metrics, "all").get(space.name)
        if row is None:
            return []
        rate, device = _rate(timings, space.fingerprint)
        cost = (training_seconds or {}).get(space.name, 0.0)
        ranked.append(
            Candidate(
                space,
                *row,
                rate,
                device,
                BYTES_PER_NUMBER * space.dimension,
                cost,
                reasons.get(space.name, ""),
            )
        )
    return sorted(ranked, key=lambda candidate: (-candidate.quality, candidate.space.name))


def picks(metrics: pa.Table, comparisons: pa.Table, ranked: Sequence[Candidate]) -> list[Pick]:
    """Advice for all changes together and for each kind. Empty if `no_advice` has a reason."""
    trained = _select_advisable(ranked)
    advice: list[Pick] = []
    if no_advice(comparisons, ranked):
        return advice
    for group in ("all", *KINDS):
        scores = quality_of(metrics, group)
        if not scores:
            continue
        best = max(trained, key=lambda candidate: scores[candidate.space.name][0]).space.name
        worse, as_good = compare_with_best(comparisons, group, best)
        equals = [candidate for candidate in trained if candidate.space.name in as_good | {best}]
        choice = max(
            equals,
            key=lambda candidate: (candidate.images_per_second or 0.0, -candidate.training_seconds),
        )
        others = tuple(
            candidate.space.name for candidate in equals if candidate.space != choice.space
        )
        undecided = tuple(
            candidate.space.name
            for candidate in trained
            if candidate not in equals and candidate.space.name not in worse
        )
        advice.append(Pick(group, choice, *scores[choice.space.name], best, others, undecided))
    return advice


def no_advice(comparisons: pa.Table, ranked: Sequence[Candidate]) -> str:
    """The reason why no space can be advised. Empty if one can be. Untrained and collapsed spaces are never
    advised."""
    trained = _select_advisable(ranked)
    if not trained:
        return (
            "every network here is untrained, does not tell pictures apart or is in the study's mode, which no "
            "collection should be searched with"
        )
    return describe_shortage(comparisons) if len(trained) > 1 else ""


def _select_advisable(ranked: Sequence[Candidate]) -> list[Candidate]:
    return [
        candidate
        for candidate in ranked
        if candidate.space.trained and candidate.space.mode == "eval" and not candidate.collapsed
    ]


def label_warnings(metrics: pa.Table, choice: str, ranked: Sequence[Candidate]) -> list[str]:
    """Warnings that the space `choice`, advised for finding copies, is worse at finding related works.

    There is a sentence for each label (artist, medium, …) that clearly fewer of the nearest artworks share
    in `choice` than in the best of all spaces that may be advised (their 95 % intervals do not overlap). By
    exact search and the longest list that was scored.
    """
    names = [candidate.space.name for candidate in _select_advisable(ranked)]
    rows = metrics.filter(
        (pc.field("search") == "exact")
        & (pc.field("metric") == "label_precision")
        & pc.field("space").isin(names)
    ).to_pylist()
    warnings = []
    for label in dict.fromkeys(row["scope"] for row in rows):
        longest = max(row["k"] for row in rows if row["scope"] == label)
        scores = {row["space"]: row for row in rows if (row["scope"], row["k"]) == (label, longest)}
        best = max(scores.values(), key=lambda row: row["mean"])
        if choice in scores and scores[choice]["ci_high"] < best["ci_low"]:
            warnings.append(
                f"of the {longest} artworks nearest by {choice}, {scores[choice]['mean']:.1%} share "
                f"the {label}, by {best['space']} {best['mean']:.1%}: for works that are alike "
                f"without being copies, search with {best['space']}"
            )
    return warnings


def ran_on(timings: pa.Table, fingerprint: str) -> str:
    """`cpu, 1 thread: 2,880 images; cuda: 600 images`, over all runs in a root. Empty if none of them
    embedded images in this space."""
    sums = _sum_by_device(timings, fingerprint)
    return "; ".join(f"{device}: {images:,} images" for device, (images, _) in sorted(sums.items()))


def _sum_by_device(timings: pa.Table, fingerprint: str) -> dict[str, tuple[int, float]]:
    """The numbers of a space's images that were embedded on each device, and the seconds for them."""
    sums: dict[str, tuple[int, float]] = {}
    for row in timings.filter(pc.field("fingerprint") == fingerprint).to_pylist():
        images, seconds = sums.get(row["device"], (0, 0.0))
        sums[row["device"]] = (images + row["images"], seconds + row["seconds"])
    return sums


def _rate(timings: pa.Table, fingerprint: str) -> tuple[float | None, str]:
    """Images per second on the device that embedded most of a space's images, and the device."""
    sums = _sum_by_device(timings, fingerprint)
    if not sums:
        return None, ""
    device, (images, seconds) = max(sums.items(), key=lambda item: item[1][0])
    return images / seconds if seconds > 0 else None, device


def conclusion_words(metrics: pa.Table, comparisons: pa.Table, ranked: Sequence[Candidate]) -> str:
    """The advice for all changes together, in one line."""
    if not ranked:
        return "no perturbed copies were asked for, so there is nothing to conclude from"
    if reason := no_advice(comparisons, ranked):
        return f"no advice: {reason}"
    (pick,) = (pick for pick in picks(metrics, comparisons, ranked) if pick.group == "all")
    name = pick.choice.space.name
    worse = [
        candidate.space.name
        for candidate in _select_advisable(ranked)
        if candidate.space.name not in (name, *pick.equals, *pick.undecided)
    ]
    words = [
        f"search with {name}: mean average precision {pick.quality:.3f} "
        f"[{pick.low:.3f}, {pick.high:.3f}] over all perturbed copies"
    ]
    if pick.equals:
        words.append(f"{_are(pick.equals)} within {MARGIN} of it")
    if pick.undecided:
        n = max(comparisons["n"].to_pylist())
        words.append(f"{n:,} originals do not show whether {_are(pick.undecided)} as good")
    if worse:
        words.append(f"{_are(worse)} worse")
    return "; ".join([*words, *label_warnings(metrics, name, ranked)])


def _are(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
