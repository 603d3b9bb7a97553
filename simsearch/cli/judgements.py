"""`simsearch judgements …`: which space finds what people find alike, asked by sheets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simsearch.cli.answers import check_ending, import_table, stored_root, write_file
from simsearch.cli.arguments import AsJson, RootWords, root_config_of
from simsearch.cli.terminal import printable, show, show_json
from simsearch.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

app = typer.Typer(
    no_args_is_help=True, help="Ask people which pictures are more alike, and what that says."
)

ENDINGS = (".csv", ".parquet")
ALIKE = "alike over all"
MOST_QUESTION = 200  # characters

TableFile = Annotated[Path, typer.Argument(help="….csv or ….parquet")]
Who = Annotated[str, typer.Option(help="the judge's name or pseudonym")]


def _write(file: Path, table: pa.Table) -> None:
    from simsearch.reading.csv_text import csv_bytes
    from simsearch.storage.parquet import encode_table

    data = csv_bytes(table) if check_ending(file, ENDINGS) == ".csv" else encode_table(table)
    write_file(file, data)


@app.command("ask")
def ask_command(
    file: TableFile,
    who: Who,
    words: RootWords = None,
    question: Annotated[
        str, typer.Option(help="alike in what: subject, style, composition, or your own words")
    ] = ALIKE,
    count: Annotated[int, typer.Option(min=20, max=2000, help="questions")] = 100,
    seed: Annotated[int, typer.Option(min=0, max=999_999_999)] = 0,
) -> None:
    """Write a sheet of questions for a judge, who fills in the column answer: left, right, both or
    neither. It does not say which network proposed which picture."""
    from simsearch.reading.judgement_sheets import ask_next, sheet
    from simsearch.reading.judgement_words import current_judgements
    from simsearch.reading.sets import one_line
    from simsearch.reading.view import SnapshotView
    from simsearch.snapshots.published import latest_snapshot

    name, asked_for = one_line(who), one_line(question)
    if not name or not asked_for or len(asked_for) > MOST_QUESTION:
        raise UsageError("--who and --question need a line of text, at most 200 characters")
    config = root_config_of(words)
    storage = stored_root(config)
    view = SnapshotView(config, latest_snapshot(storage))
    asked = ask_next(view, current_judgements(storage), asked_for, name, seed, count)
    _write(file, sheet(view, asked))
    show(f"{len(asked):,} questions for {printable(name)}: {file}")


@app.command("import")
def import_command(
    file: Annotated[str, typer.Argument(help="a sheet with answers, or an exported table")],
    words: RootWords = None,
) -> None:
    """Store the answers of a sheet or of an exported table beside those that are there."""
    from simsearch.reading.judgement_files import import_judgements
    from simsearch.reading.view import SnapshotView
    from simsearch.snapshots.published import find_snapshot

    config = root_config_of(words)
    storage = stored_root(config)

    def view_of(name: str) -> SnapshotView:
        return SnapshotView(config, find_snapshot(storage, name))

    done = import_table(
        file, config, lambda records, notes: import_judgements(storage, records, notes, view_of)
    )
    show(
        f"{done.rows:,} rows: {done.stored:,} answers stored, {done.before:,} known before, "
        f"{done.empty:,} not answered, {done.left_out:,} left out"
    )


@app.command("export")
def export_command(file: TableFile, words: RootWords = None) -> None:
    """Write the answers that count into a local file."""
    from simsearch.reading.judgement_sheets import judgement_table
    from simsearch.reading.judgement_words import current_judgements

    judgements = current_judgements(stored_root(root_config_of(words)))
    _write(file, judgement_table(judgements))
    show(f"{len(judgements):,} answers: {file}")


@app.command("list")
def list_command(words: RootWords = None, as_json: AsJson = False) -> None:
    """Say which network people prefer, how sure that is, and how many more answers will decide it."""
    from simsearch.reading.judgement_words import current_outcomes, outcome_lines, outcome_values

    answers = current_outcomes(stored_root(root_config_of(words)))
    if as_json:
        show_json([outcome_values(outcome) for outcome in answers])
        return
    for outcome in answers:
        for line in outcome_lines(outcome):
            show(printable(line))
    if not answers:
        show("no judgements yet; `simsearch judgements ask` writes a sheet of questions")


@app.command("withdraw")
def withdraw_command(
    who: Who,
    words: RootWords = None,
    question: Annotated[str | None, typer.Option(help="only the answers to this one")] = None,
) -> None:
    """Take back a judge's answers. They count no longer."""
    from simsearch.reading.judgement_files import withdraw

    count = withdraw(stored_root(root_config_of(words)), who, question)
    show(f"{count:,} answers of {printable(who)} withdrawn")
