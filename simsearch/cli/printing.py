"""Output on a terminal: tables, and the last lines of a run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from simsearch.cli.terminal import cell, printable, show, show_table
from simsearch.runs.record import RunRecord
from simsearch.runtime.progress import duration
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.snapshot import Snapshot

if TYPE_CHECKING:
    from simsearch.reading.values import Artwork, Matches, SamePicture

# Metrics of whole rankings in the table of a run, beside the study's.
WHOLE_RANKINGS = ("map", "micro_ap")


def print_result(config: Config, snapshot: Snapshot) -> None:
    """Print a run's metrics, then three lines: the conclusion, the report's place, and how to look closer."""
    # These import SciPy, which takes longer than most commands.
    from simsearch.reading.costs import timings_of, training_seconds
    from simsearch.reading.networks import exact_spaces
    from simsearch.reports.conclusion import candidates, conclusion_words

    storage, plan = snapshot.storage, snapshot.plan()
    metrics = storage.read_table(snapshot.metrics_path)
    comparisons = storage.read_table(snapshot.comparisons_path)
    timings = timings_of(snapshot)
    show(metrics_text(metrics, plan.untrained, exact_spaces(snapshot)))
    show()
    ranked = candidates(metrics, plan.spaces, timings, training_seconds(snapshot))
    words = conclusion_words(metrics, comparisons, ranked)
    show(f"conclusion: {words}")
    show(f"report: {storage.uri(snapshot.report_path)}")
    show(f"explorer: {explore_command(config.root, config.storage)}")


def metrics_text(metrics: pa.Table, untrained: frozenset[str], exact: Collection[str] = ()) -> str:
    """The metrics as a table for a terminal: mean ± standard deviation over originals.

    `exact` names the spaces whose indexes compare all vectors: their results are those of exact search.
    """
    from simsearch.reports.tables import summary_rows

    if not summary_rows(metrics):
        return "no perturbed copies were asked for: neighbours only, no recovery to measure"
    lines = [
        f"{'space':32} {'k':>3}  {'metric':10} {'exact search':>15} {'Annoy':>15} {'ceiling':>8}"
    ]
    for row in summary_rows(metrics, WHOLE_RANKINGS):
        name = row.space + (" (untrained)" if row.space in untrained else "")
        true, index = (
            f"{score.mean:.3f} ± {score.std:.3f}" if score else "–"
            for score in (row.exact, row.annoy)
        )
        if row.space in exact and row.annoy:
            index = "exact"
        lines.append(
            f"{name:32} {row.k:>3}  {row.metric:10} {true:>15} {index:>15} {row.ceiling:>8}"
        )
    return "\n".join(lines)


def explore_command(root: str, storage: StorageConfig) -> str:
    """The command that shows a root, ready to be typed in this shell."""
    words = [_program(), "explore", root]
    if storage.endpoint_url is not None:
        words.append(f"storage.endpoint_url={storage.endpoint_url}")
    return shlex.join(words)


def _program() -> str:
    """`simsearch` if the shell finds it, else the path of the running program."""
    running = Path(sys.argv[0])
    if running.name != "simsearch" or shutil.which("simsearch") == str(running.resolve()):
        return "simsearch"
    return os.path.relpath(running)


def print_runs(records: Sequence[RunRecord]) -> None:
    for record in records:
        started = record.started[:19].replace("T", " ")
        took = "" if record.seconds is None else duration(record.seconds)
        result = ""
        if record.snapshot_id is not None:
            result = (
                f"{record.snapshot_id}, {record.artworks:,} artworks, {record.rejects:,} rejects"
            )
        line = f"{started} UTC  {record.command:8} {record.outcome:12} {took:>14}  {result}"
        show(line.rstrip())
        if record.error:
            show(f"{'':25}{printable(record.error)}")


def print_same(same: Sequence[SamePicture]) -> None:
    if not same:
        return
    columns = ("relation", "evidence", "artwork", "title", "artists", "image")
    table = Table(*columns, title="the same picture", title_justify="left")
    for own in same:
        table.add_row(own.words, own.evidence, *_described(own.artwork))
    show_table(table)


def same_json(same: SamePicture) -> dict[str, Any]:
    """An artwork that shows the same picture, as `simsearch query --json` prints it."""
    return {
        "relation": same.relation,
        "mirrored": same.mirrored,
        "inliers": same.inliers,
        "false_alarms": same.false_alarms,
        **_artwork_json(same.artwork),
    }


def _described(artwork: Artwork) -> list[Text]:
    texts = (
        artwork.artwork_id,
        artwork.title,
        ", ".join(artwork.artists),
        artwork.image_uri,
    )
    return [cell(text) for text in texts]


def _artwork_json(artwork: Artwork) -> dict[str, Any]:
    return {
        "artwork_id": artwork.artwork_id,
        "title": artwork.title,
        "artists": list(artwork.artists),
        "image_uri": artwork.image_uri,
    }


def print_matches(matches: Matches) -> None:
    columns = ("rank", "score", "artwork", "title", "artists", "image")
    table = Table(*columns, title=cell(matches.space), title_justify="left")
    for match in matches:
        table.add_row(str(match.rank), f"{match.cosine:.4f}", *_described(match.artwork))
    show_table(table)


def matches_json(matches: Matches) -> list[dict[str, Any]]:
    """The matches as `simsearch query --json` prints them."""
    return [
        {
            "rank": match.rank,
            **_artwork_json(match.artwork),
            "distance": match.distance,
            "score": match.cosine,
        }
        for match in matches
    ]
