"""`copies`: which edited copies of paintings each program finds, each by its own documented threshold."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.copy_scores import Pair, Score, score, true_pairs
from tests.benchmarks.edits import EDITS, edit_all
from tests.benchmarks.finders import (
    DISTILLED,
    PLAIN,
    SPACES,
    Finder,
    Search,
    all_finders,
    best_cut,
    copied_of,
)
from tests.benchmarks.measuring import Asked, Comparison, Result, all_in_turn
from tests.benchmarks.pictures import fill
from tests.benchmarks.results import three_digits

PAINTINGS = 1000
PRECISION = 0.99

# Ours beside the peer with the same network.
ALIKE = {PLAIN: "imagededup cnn-lite0", DISTILLED: "immaculate sscd_distilled"}


def measure(asked: Asked, scratch: Path) -> Result:
    shown = fill(scratch / "paintings", asked.images or PAINTINGS, asked.paintings)
    pictures = scratch / "pictures"
    edit_all(scratch / "paintings", pictures)
    names = [path.stem for path in pictures.iterdir()]
    truth = true_pairs(names)
    finders, missing = all_finders(pictures, scratch)
    searches, failed = tried(finders, asked.repeats)
    rows, scores = [], {}
    for name, turns in searches.items():
        scores[name] = score(turns[-1].pairs, truth)
        rows.append(table_row(name, turns[-1].rule, scores[name], turns))
        if name in SPACES:
            rule, pairs = best_cut(scratch / name, PRECISION)
            best = f"{name}, best threshold"
            scores[best] = score(pairs, truth)
            rows.append(table_row(best, rule, scores[best], []))
    told = {
        "pictures": f"{shown}, each with a crop, two flips, a rotation by 25° and a square resize: "
        f"{len(names):,} files, {len(truth):,} pairs",
        "programs": f"{peers.IMMACULATE}, {peers.IMAGEDEDUP}",
    }
    notes = [
        "Thresholds are each program's documented defaults. Ours are the pairs that geometry verifies among the "
        f"nearest pictures; the same run makes copies of {copied_of(len(names)):,} of the files; a whitening is "
        "learned from the other files, edits and all. A best threshold was chosen on these very pictures, for "
        f"precision {PRECISION}: what the vectors would allow, not what a run lists. Ours computes an index, scores "
        "and a report too (no maps). Time is of the whole process, memory of all its processes together, shared "
        "pages counted once.",
        *(f"{name} was not measured: {why}." for name, why in {**missing, **failed}.items()),
    ]
    costs = {
        name: [{"seconds": turn.seconds, "peak_mib": turn.peak_mib} for turn in turns]
        for name, turns in searches.items()
    }
    details = {"scores": {name: asdict(row) for name, row in scores.items()}, "costs": costs}
    return Result(told, compared(searches, truth), notes, details, [header(len(truth)), *rows])


def tried(
    finders: Mapping[str, Finder], repeats: int
) -> tuple[dict[str, list[Search]], dict[str, str]]:
    """The searches of every program, so many turns of them, and why those failed that did. Raises
    PeerError where ours did."""
    failed: dict[str, str] = {}

    def attempt(name: str) -> Search | None:
        if name in failed:
            return None
        try:
            return finders[name]()
        except peers.PeerError as error:
            if name in SPACES:
                raise
            failed[name] = str(error)
            return None

    taken = all_in_turn({name: partial(attempt, name) for name in finders}, repeats)
    return {name: turns for name, turns in taken.items() if name not in failed}, failed


def header(truth: int) -> list[str]:
    edits = [f"its {name}" for name in EDITS]
    return ["program", "calls a copy", f"of {truth:,} pairs", "precision", *edits, "time", "memory"]


def table_row(name: str, rule: str, scored: Score, turns: Sequence[Search]) -> list[str]:
    costs = ["", ""]
    if turns:
        seconds = statistics.median(turn.seconds for turn in turns)
        memory = statistics.median(turn.peak_mib for turn in turns)
        costs = [f"{three_digits(seconds)} s", f"{three_digits(memory)} MiB"]
    said = f"ours: {name}" if name.startswith(tuple(SPACES)) else name
    pairs = f"{scored.right_pairs:,} ({scored.recall:.3f})"
    edits = [f"{share:.3f}" for share in scored.edits.values()]
    return [said, rule, pairs, f"{scored.precision:.4f}", *edits, *costs]


def compared(searches: Mapping[str, Sequence[Search]], truth: set[Pair]) -> list[Comparison]:
    """Ours beside the peer with the same network, where both ran."""
    values: dict[str, tuple[str, Callable[[Search], Any]]] = {
        "copies found": ("pairs", lambda search: len(search.pairs & truth)),
        "from start to end": ("s", lambda search: search.seconds),
        "memory, peak": ("MiB", lambda search: search.peak_mib),
    }
    return [
        Comparison(
            f"{space}, {words}", peer, unit,
            [value(turn) for turn in searches[space]], [value(turn) for turn in searches[peer]],
        )
        for space, peer in ALIKE.items() if {space, peer} <= searches.keys()
        for words, (unit, value) in values.items()
    ]  # fmt: skip
