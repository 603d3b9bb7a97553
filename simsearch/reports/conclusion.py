"""Which feature space to pick for which kind of change, and at which cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.features.space import FeatureSpace
from simsearch.images.perturbations import KINDS
from simsearch.reports.tables import (
    NEAR_DUPLICATES_SHOWN,
    SIGNIFICANT,
    comparison_rows,
    label_rows,
    near_duplicate_rows,
    ranking_table,
    space_rows,
)
from simsearch.runtime.progress import duration

BYTES_PER_NUMBER = 4  # float32


@dataclass(frozen=True)
class Candidate:
    """A feature space with its quality (mean average precision over all copies, exact search, with
    its 95 % interval) and its cost: images per second of one actor on `device`, None where no run
    here measured it, bytes per image, and the seconds that its training took, 0 where it had none."""

    space: FeatureSpace
    quality: float
    low: float
    high: float
    images_per_second: float | None
    device: str
    bytes_per_image: int
    training_seconds: float = 0.0


@dataclass(frozen=True)
class Pick:
    """The advice for a group of changes: of all candidates that the test does not tell apart from the
    best, the fastest, and of equally fast ones the one that took least training. `equals` are the
    others of them."""

    group: str
    choice: Candidate
    quality: float
    low: float
    high: float
    best: str
    equals: tuple[str, ...]


def candidates(
    metrics: pa.Table,
    spaces: Sequence[FeatureSpace],
    timings: pa.Table,
    training_seconds: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """All spaces of a run with their quality and cost, the best first. None without copies.

    `training_seconds` are by the names of the spaces that learned.
    """
    found = []
    for space in spaces:
        row = _quality(metrics, "all").get(space.name)
        if row is None:
            return []
        rate, device = _rate(timings, space.fingerprint)
        cost = (training_seconds or {}).get(space.name, 0.0)
        found.append(Candidate(space, *row, rate, device, BYTES_PER_NUMBER * space.dimension, cost))
    return sorted(found, key=lambda each: (-each.quality, each.space.name))


def picks(metrics: pa.Table, comparisons: pa.Table, found: Sequence[Candidate]) -> list[Pick]:
    """Advice for all changes together and for each kind; untrained networks are never advised."""
    trained = [each for each in found if each.space.trained and each.space.mode == "eval"]
    advice = []
    for group in ("all", *KINDS):
        scores = _quality(metrics, group)
        if not trained or not scores:
            continue
        best = max(trained, key=lambda each: scores[each.space.name][0]).space.name
        apart = _told_apart(comparisons, group, best)
        equals = [each for each in trained if each.space.name not in apart]
        choice = max(
            equals, key=lambda each: (each.images_per_second or 0.0, -each.training_seconds)
        )
        others = tuple(each.space.name for each in equals if each.space != choice.space)
        advice.append(Pick(group, choice, *scores[choice.space.name], best, others))
    return advice


def _quality(metrics: pa.Table, group: str) -> dict[str, tuple[float, float, float]]:
    rows = metrics.filter(
        (pc.field("search") == "exact")
        & (pc.field("metric") == "map")
        & (pc.field("group") == group)
    ).to_pylist()
    return {row["space"]: (row["mean"], row["ci_low"], row["ci_high"]) for row in rows}


def _told_apart(comparisons: pa.Table, group: str, best: str) -> set[str]:
    """The spaces that differ from the best by more than chance."""
    found = set()
    for row in comparisons.filter(
        (pc.field("group") == group) & (pc.field("metric") == "map")
    ).to_pylist():
        pair = {row["first"], row["second"]}
        if best in pair and row["p_holm"] < SIGNIFICANT:
            found |= pair - {best}
    return found


def ran_on(timings: pa.Table, fingerprint: str) -> str:
    """`cpu, 1 thread: 2,880 images; cuda: 600 images`, over all runs in a root; empty where none of
    them embedded images of this space."""
    sums = _by_device(timings, fingerprint)
    return "; ".join(f"{device}: {images:,} images" for device, (images, _) in sorted(sums.items()))


def _by_device(timings: pa.Table, fingerprint: str) -> dict[str, tuple[int, float]]:
    """Images and seconds."""
    sums: dict[str, tuple[int, float]] = {}
    for row in timings.filter(pc.field("fingerprint") == fingerprint).to_pylist():
        images, seconds = sums.get(row["device"], (0, 0.0))
        sums[row["device"]] = (images + row["images"], seconds + row["seconds"])
    return sums


def _rate(timings: pa.Table, fingerprint: str) -> tuple[float | None, str]:
    """Images per second on the device that embedded the most of a space's images."""
    sums = _by_device(timings, fingerprint)
    if not sums:
        return None, ""
    device, (images, seconds) = max(sums.items(), key=lambda item: item[1][0])
    return images / seconds if seconds > 0 else None, device


def cost_words(candidate: Candidate) -> Mapping[str, str]:
    rate = candidate.images_per_second
    return {
        "rate": "not measured" if rate is None else f"{rate:,.1f} ({candidate.device})",
        "bytes": f"{candidate.bytes_per_image:,}",
        "training": duration(candidate.training_seconds) if candidate.training_seconds else "none",
    }


def conclusion_words(metrics: pa.Table, comparisons: pa.Table, found: Sequence[Candidate]) -> str:
    """The advice for all changes together, in one line."""
    if not found:
        return "no perturbed copies were asked for, so there is nothing to conclude from"
    advice = [pick for pick in picks(metrics, comparisons, found) if pick.group == "all"]
    if not advice:
        return (
            "no advice: every network here is untrained or in the study's mode, which no collection "
            "should be searched with"
        )
    (pick,) = advice
    name = pick.choice.space.name
    others = [
        candidate.space.name
        for candidate in found
        if candidate.space.trained
        and candidate.space.mode == "eval"
        and candidate.space.name not in (name, *pick.equals)
    ]
    words = [
        f"search with {name}: mean average precision {pick.quality:.3f} "
        f"[{pick.low:.3f}, {pick.high:.3f}] over all perturbed copies"
    ]
    if pick.equals:
        words.append(f"a paired test does not tell {' or '.join(pick.equals)} from it")
    if others:
        words.append(f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} worse")
    return "; ".join(words)


def evaluation_rows(
    metrics: pa.Table,
    comparisons: pa.Table,
    near_duplicates: pa.Table,
    titles: Mapping[str, str],
    found: Sequence[Candidate],
) -> dict[str, Any]:
    """The rows of the sections on conclusion, rankings and neighbours."""
    near = near_duplicate_rows(near_duplicates, titles)
    return {
        "n": max((row["n"] for row in comparisons.to_pylist()), default=0),
        "candidates": [
            {
                "space": each.space.name,
                "layer": each.space.layer,
                "preprocessing": each.space.preprocessing_words,
                "mode": each.space.mode,
                "quality": f"{each.quality:.3f} [{each.low:.3f}, {each.high:.3f}]",
                **cost_words(each),
            }
            for each in found
        ],
        "picks": [
            {
                "group": each.group,
                "space": each.choice.space.name,
                "quality": f"{each.quality:.3f} [{each.low:.3f}, {each.high:.3f}]",
                "best": each.best,
                "equals": ", ".join(each.equals),
                **cost_words(each.choice),
            }
            for each in picks(metrics, comparisons, found)
        ],
        "comparisons": comparison_rows(comparisons),
        "rankings": ranking_table(metrics),
        "labels": label_rows(metrics),
        "spaces": space_rows(metrics),
        "near_count": len(near),
        "near_duplicates": near[:NEAR_DUPLICATES_SHOWN],
        "figures": [],
    }
